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
        guard let setting = Setting(named: name) else { return refuseSetting(text, Setting.correction(of: name)) }
        guard words.count > 1 else {
            hint = "\(setting.rawValue): \(setting.value(in: options)) (\(setting.allowed))"
            return []
        }
        guard words.count == 2, setting.set(words[1], in: &options) else {
            return refuseSetting(text, "\(setting.rawValue) takes \(setting.allowed)")
        }
        hint = "\(setting.rawValue): \(setting.value(in: options)), from the next answer on"
        return []
    }

    /// What was typed comes back to be mended.
    private mutating func refuseSetting(_ text: String, _ reason: String) -> [Effect] {
        composer.replace(with: "/set " + text)
        hint = reason
        return []
    }

    /// Without a text says what is set; "-" goes back to the model's own.
    mutating func changeSystemPrompt(_ text: String?) -> [Effect] {
        guard let text else {
            hint = systemPrompt.map { "system prompt: \($0)" } ?? "system prompt: the model's own"
            return []
        }
        return enqueue(.setSystem(text == "-" ? nil : text))
    }

    /// The engine took the system prompt, or says why not.
    mutating func endSystemChange(_ text: String?, failure: String?) {
        if let failure {
            addTurn(.failure, failure)
            return
        }
        systemPrompt = text
        let what = text.map { "System prompt: \($0)" } ?? "System prompt: the model's own"
        let present = turns.reversed().prefix { $0.content != .divider }
        let isBegun = present.contains { $0.isQuestion || $0.content == .picture }
        addTurn(.notice, isBegun ? "\(what) (from the next conversation on: /new)" : what)
    }
}
