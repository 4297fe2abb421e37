// InputCommands.swift — the commands about what is typed and taken away: help, settings, copying. See CommandDispatch.

import Engine

extension AppState {
    /// The help, or the line of one command.
    mutating func showHelp(_ topic: String?, keysFirst: Bool = false) -> [Effect] {
        guard let topic else {
            overlay = HelpText.overlay(for: self, beginningWithCommands: !keysFirst)
            return []
        }
        let name = topic.hasPrefix("/") ? topic : "/" + topic
        hint = CommandTable.entry(named: name).map { "\($0.usage): \($0.help)" } ?? CommandTable.correction(of: name)
        return []
    }

    mutating func openPalette() {
        guard replay == nil else { return }
        overlay = CommandTable.palette()
    }

    /// "/set", "/set temperature", "/set temperature 0.7" or "/set temperature=0.7".
    mutating func changeSetting(_ text: String) -> [Effect] {
        let separators: (Character) -> Bool = { $0.isWhitespace || $0 == "=" || $0 == ":" }
        let words = text.split(whereSeparator: separators).map(String.init)
        guard let name = words.first else {
            overlay = Setting.overlay(options)
            return []
        }
        guard let setting = Setting(named: name) else {
            hint = Setting.correction(of: name)
            return []
        }
        guard words.count > 1 else {
            hint = "\(setting.rawValue): \(setting.value(in: options)) (\(setting.allowed))"
            return []
        }
        guard words.count == 2, setting.set(words[1], in: &options) else {
            hint = "\(setting.rawValue) takes \(setting.allowed)"
            return []
        }
        hint = "\(setting.rawValue): \(setting.value(in: options)), from the next answer on"
        return []
    }

    mutating func changeSystemPrompt(_ text: String?) -> [Effect] { notAvailable("/system") }
}
