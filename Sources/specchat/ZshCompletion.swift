// ZshCompletion.swift — zsh's completion script as the parser's library makes it, with what that does not know: the default
// subcommand, and files that are models. Used by Main.

import Foundation

/// The library's script for zsh, amended. A text that is no such script comes back as it is.
enum ZshCompletion {
    static func amended(_ script: String) -> String {
        guard script.hasPrefix("#compdef specchat\n") else { return script }
        return withFiles(withChatByDefault(withQuietArguments(script)))
    }

    private static let index = "    local -ir current_word_index=\"$((CURRENT - 1))\"\n"
    private static let custom = "\n__specchat_custom_complete() {\n"

    /// Options without a subcommand are the chat's.
    private static func withChatByDefault(_ script: String) -> String {
        guard let place = script.range(of: index) else { return script }
        let byDefault = """

                # Without a subcommand the chat starts
                if [[ "${CURRENT}" -gt 1 && "${words[2]}" == -* ]]; then
                    _specchat_chat
                    return
                fi

            """
        return script.replacingCharacters(in: place.upperBound..<place.upperBound, with: byDefault)
    }

    /// An argument for which nothing can be offered makes a message, and beside a message zsh does not write out the one
    /// option that fits. Without matches of its own it makes none.
    private static func withQuietArguments(_ script: String) -> String {
        script.replacing(/(?m)^(        '\*?:[^:']+:)'$/) { "\($0.1)()'" }
    }

    /// Paths of models are left to zsh, which knows of ~, of spaces, and of folders that go on.
    private static func withFiles(_ script: String) -> String {
        guard let start = script.range(of: custom),
            let end = script.range(of: "\n}\n", range: start.upperBound..<script.endIndex)
        else { return script }
        return script.replacingCharacters(
            in: start.upperBound..<end.lowerBound,
            with: #"""
                    local -a completions
                    local -i ret=1
                    completions=("${(@f)"$("${command_name}" "${@}" "${command_line[@]}")"}")
                    if [[ "${#completions[@]}" -gt 1 ]]; then
                        __specchat_complete "${completions[@]:0:-1}" && ret=0
                    fi
                    case "${(j: :)@}" in
                    *' -- --'(model|mmproj|draft|draft-projector)' '*|*' inspect -- positional@0 '*)
                        _files -g '(*.(#i)gguf|bundle.json)' && ret=0
                        ;;
                    esac
                    return "${ret}"
                """#)
    }
}
