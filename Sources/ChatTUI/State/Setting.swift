// Setting.swift — what /set can change about the coming answers: names, values, what is allowed.

import Engine

enum Setting: String, Sendable, Equatable, CaseIterable {
    case temperature
    case topK = "top-k"
    case topP = "top-p"
    case minP = "min-p"
    case repetitionPenalty = "repetition-penalty"
    case seed
    case maximumTokens = "max-tokens"
    case nodes, depth, width

    /// By its name or one of the short forms that other programs use; case and underscores do not matter.
    init?(named name: String) {
        let plain = name.lowercased().replacing("_", with: "-")
        switch plain {
        case "temp": self = .temperature
        case "topk": self = .topK
        case "topp": self = .topP
        case "minp": self = .minP
        case "penalty", "repeat-penalty": self = .repetitionPenalty
        case "tokens", "maxtokens": self = .maximumTokens
        default:
            guard let setting = Setting(rawValue: plain) else { return nil }
            self = setting
        }
    }

    static func correction(of name: String) -> String {
        let near = allCases.map(\.rawValue).min {
            CommandTable.distance(name, $0) < CommandTable.distance(name, $1)
        }
        let names = allCases.map(\.rawValue).joined(separator: ", ")
        guard let near, CommandTable.distance(name, near) <= 2 else {
            return "there is no setting '\(name.prefix(40))'; there are \(names)"
        }
        return "there is no setting '\(name.prefix(40))'. Did you mean \(near)?"
    }

    /// What it does, in a few words.
    var help: String {
        switch self {
        case .temperature: "0 takes the likeliest token; higher varies more"
        case .topK: "choose among the k likeliest tokens; 0 for all"
        case .topP: "choose among the fewest tokens that reach this probability"
        case .minP: "leave out tokens less likely than this part of the likeliest"
        case .repetitionPenalty: "above 1, words already said become less likely"
        case .seed: "the same seed gives the same answer"
        case .maximumTokens: "the longest an answer may become"
        case .nodes: "nodes of every draft tree; auto chooses by cost"
        case .depth: "levels of a draft tree at most"
        case .width: "children of a node of a draft tree at most"
        }
    }

    /// The values it takes, in words.
    var allowed: String {
        switch self {
        case .temperature: "a number from 0 to 10"
        case .topK: "a whole number from 0"
        case .topP, .minP: "a number from 0 to 1"
        case .repetitionPenalty: "a number above 0, up to 10"
        case .seed: "a whole number from 0"
        case .maximumTokens: "a whole number from 1"
        case .nodes: "auto, or a whole number from 1 to \(Setting.mostNodes)"
        case .depth: "a whole number from 1 to \(Setting.deepest)"
        case .width: "a whole number from 1 to \(Setting.widest)"
        }
    }

    static let mostNodes = 256
    private static let deepest = 64
    private static let widest = 64

    func value(in options: GenerationOptions) -> String {
        switch self {
        case .temperature: "\(options.sampler.temperature)"
        case .topK: "\(options.sampler.topK)"
        case .topP: "\(options.sampler.topP)"
        case .minP: "\(options.sampler.minP)"
        case .repetitionPenalty: "\(options.sampler.repetitionPenalty)"
        case .seed: "\(options.sampler.seed)"
        case .maximumTokens: "\(options.maximumTokens)"
        case .nodes: options.speculation.nodes.map { "\($0)" } ?? "auto"
        case .depth: "\(options.speculation.maximumDepth)"
        case .width: "\(options.speculation.maximumBranch)"
        }
    }

    /// Takes over a value as it was typed; returns whether it is allowed, and changes nothing when it is not.
    func set(_ text: String, in options: inout GenerationOptions) -> Bool {
        switch self {
        case .temperature: Setting.set(&options.sampler.temperature, Setting.number(text, 0...10))
        case .topK: Setting.set(&options.sampler.topK, Setting.whole(text, 0...Int(Int32.max)))
        case .topP: Setting.set(&options.sampler.topP, Setting.number(text, 0...1))
        case .minP: Setting.set(&options.sampler.minP, Setting.number(text, 0...1))
        case .repetitionPenalty:
            Setting.set(&options.sampler.repetitionPenalty, Setting.number(text, Float.leastNormalMagnitude...10))
        case .seed: Setting.set(&options.sampler.seed, UInt64(text))
        case .maximumTokens: Setting.set(&options.maximumTokens, Setting.whole(text, 1...Int(Int32.max)))
        case .nodes:
            Setting.set(
                &options.speculation.nodes,
                text.lowercased() == "auto" ? .some(nil) : Setting.whole(text, 1...Setting.mostNodes).map { .some($0) })
        case .depth: Setting.set(&options.speculation.maximumDepth, Setting.whole(text, 1...Setting.deepest))
        case .width: Setting.set(&options.speculation.maximumBranch, Setting.whole(text, 1...Setting.widest))
        }
    }

    private static func set<Value>(_ place: inout Value, _ value: Value?) -> Bool {
        guard let value else { return false }
        place = value
        return true
    }

    /// A decimal point or a decimal comma; never infinite or not a number, which no range holds.
    private static func number(_ text: String, _ range: ClosedRange<Float>) -> Float? {
        Float(text.replacing(",", with: ".")).flatMap { range.contains($0) ? $0 : nil }
    }

    private static func whole(_ text: String, _ range: ClosedRange<Int>) -> Int? {
        Int(text).flatMap { range.contains($0) ? $0 : nil }
    }

    /// All settings with their values; choosing one begins its change in the composer.
    static func overlay(_ options: GenerationOptions) -> Overlay {
        let names = allCases.reduce(0) { max($0, $1.rawValue.count) } + 2
        let values = allCases.map { $0.value(in: options) }
        let columns = values.reduce(0) { max($0, $1.count) } + 2
        let rows = zip(allCases, values).map { setting, value in
            Overlay.Row(
                [
                    Span(setting.rawValue.padded(to: names), .key), Span(value.padded(to: columns), .strong),
                    Span(setting.help, .faint),
                ], choice: .write("/set \(setting.rawValue) "))
        }
        return Overlay(kind: .settings, title: "settings", rows: rows, isFiltered: true)
    }
}

extension String {
    /// With spaces up to so many characters.
    func padded(to count: Int) -> String { self + String(repeating: " ", count: max(0, count - self.count)) }
}
