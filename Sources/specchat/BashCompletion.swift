// BashCompletion.swift — bash's completion script as the parser's library makes it, with what that does not know: the
// default subcommand, names with colons in them, and files whose names a shell would take for more. Used by Main.

import Foundation

/// The library's script for bash, amended. A text that is no such script comes back as it is.
enum BashCompletion {
    static func amended(_ script: String) -> String { withNamesAsTheyAre(withWholeNames(withChatByDefault(script))) }

    private static let root = "\n_specchat() {\n"
    private static let subcommands = "    # Offer subcommand / subcommand argument completions\n"
    private static let custom = "\n__specchat_custom_complete() {\n"
    private static let registration = "complete -o filenames -F _specchat specchat"

    /// Options without a subcommand are the chat's.
    private static func withChatByDefault(_ script: String) -> String {
        guard let start = script.range(of: root),
            let place = script.range(of: subcommands, range: start.upperBound..<script.endIndex)
        else { return script }
        let byDefault = """
                # Without a subcommand the chat starts
                if [[ "${COMP_WORDS[1]}" == -* ]]; then
                    unparsed_words=("${COMP_WORDS[@]:1:${COMP_CWORD}}")
                    "_specchat_chat"
                    return
                fi


            """
        return script.replacingCharacters(in: place.lowerBound..<place.lowerBound, with: byDefault)
    }

    /// The library gives the names of files to `compgen -W`, which expands them: a tilde, and a command in a file's name,
    /// which pressing Tab would run.
    private static func withNamesAsTheyAre(_ script: String) -> String {
        guard let place = script.range(of: custom) else { return script }
        let add = #"""

            # Offers the lines that begin with what was typed, quoted or not.
            __specchat_add_lines() {
                local line typed="${cur#[\"\']}"
                typed="${typed//\\/}"
                while IFS='' read -r line; do
                    [[ -n "${line}" && "${line}" == "${typed}"* ]] && COMPREPLY+=("${line}")
                done <<<"${1}"
            }

            """#
        return script.replacingCharacters(in: place.lowerBound..<place.lowerBound, with: add)
            .replacing(
                "__specchat_add_completions -W \"$(__specchat_custom_complete ",
                with: "__specchat_add_lines \"$(__specchat_custom_complete ")
    }

    /// Bash cuts words at colons and completes the last piece alone; ollama:llava:7b is one word to us.
    private static func withWholeNames(_ script: String) -> String {
        guard let place = script.range(of: registration) else { return script }
        return script.replacingCharacters(
            in: place,
            with: #"""
                # Puts together what bash has cut at colons, completes that, and gives back what belongs behind the last cut.
                __specchat_whole_names() {
                    local -a whole=()
                    local -i index cursor=0
                    local line="${COMP_LINE}" word before reply
                    for index in "${!COMP_WORDS[@]}"; do
                        word="${COMP_WORDS[${index}]}"
                        before="${line}"
                        if [[ -n "${word}" ]]; then
                            before="${line%%"${word}"*}"
                            line="${line#*"${word}"}"
                        fi
                        if ((index > 1)) && [[ -z "${before}" && ("${word}" == :* || "${whole[-1]}" == *:) ]]; then
                            whole[-1]+="${word}"
                        else
                            whole+=("${word}")
                        fi
                        ((index == COMP_CWORD)) && break
                    done
                    cursor=$((${#whole[@]} - 1))
                    local cut=''
                    if ((cursor < COMP_CWORD)); then
                        cut="${whole[-1]}"
                        [[ "${word}" == : ]] || cut="${cut%"${word}"}"
                    fi
                    whole+=("${COMP_WORDS[@]:COMP_CWORD + 1}")
                    local -a COMP_WORDS=("${whole[@]}")
                    local -i COMP_CWORD="${cursor}"
                    _specchat "${1}" "${cut}${2#:}" "${COMP_WORDS[cursor - 1]}"
                    local are_names=true
                    for reply in "${COMPREPLY[@]}"; do
                        [[ "${reply}" == @(hf|ollama|lmstudio|llamacpp):* ]] || are_names=false
                    done
                    # Colons would be quoted in the name of a file.
                    "${are_names}" && compopt +o filenames 2>/dev/null
                    COMPREPLY=("${COMPREPLY[@]#"${cut}"}")
                }

                complete -o filenames -F __specchat_whole_names specchat
                """#)
    }
}
