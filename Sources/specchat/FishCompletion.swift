// FishCompletion.swift — fish's completion script as the parser's library makes it, with what that does not know: the
// default subcommand. Used by Main.

import Foundation

/// The library's script for fish, amended. A text that is no such script comes back as it is.
enum FishCompletion {
    private static let tokens = """
        function __specchat_parse_tokens -S
            set -l unparsed_tokens (__specchat_tokens -pc)

        """

    /// Options without a subcommand are the chat's.
    static func amended(_ script: String) -> String {
        guard let place = script.range(of: tokens) else { return script }
        let byDefault = """
                # Without a subcommand the chat starts
                set -l first_words $unparsed_tokens[2] (commandline -ct)
                if string match -q -- '-*' $first_words[1]
                    set unparsed_tokens $unparsed_tokens[1] chat $unparsed_tokens[2..]
                end

            """
        return script.replacingCharacters(in: place.upperBound..<place.upperBound, with: byDefault)
    }
}
