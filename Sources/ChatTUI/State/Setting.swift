// Setting.swift — what /set can change about the coming answers: names, values, what is allowed.

public import Engine

/// A setting of the coming answers. Called the same in `/set`, as a flag, as a variable and in the settings file.
public enum Setting: String, Sendable, Equatable, CaseIterable {
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
    public var help: String {
        switch self {
        case .temperature: "0 takes the likeliest token each time; higher varies more"
        case .topK: "choose among the k likeliest tokens; 0 for all"
        case .topP: "choose among the fewest tokens that reach this probability"
        case .minP: "choose among tokens at least this fraction as likely as the likeliest"
        case .repetitionPenalty: "above 1, words already said become less likely"
        case .seed: "the same seed gives the same answer"
        case .maximumTokens: "the longest an answer may become, in tokens"
        case .nodes: "nodes of every draft tree, the root counted; auto chooses by cost"
        case .depth: "levels of a draft tree at most"
        case .width: "children of a node of a draft tree at most"
        }
    }

    /// Where its value is, and between which bounds: what is allowed is said here and nowhere else.
    public var form: Form {
        switch self {
        case .temperature: .number(\.sampler.temperature, 0...10)
        case .topK: .whole(\.sampler.topK, 0...Form.most)
        case .topP: .number(\.sampler.topP, 0...1)
        case .minP: .number(\.sampler.minP, 0...1)
        case .repetitionPenalty: .number(\.sampler.repetitionPenalty, Float.leastNormalMagnitude...10)
        case .seed: .seed(\.sampler.seed)
        case .maximumTokens: .whole(\.maximumTokens, 1...Form.most)
        case .nodes: .wholeOrAuto(\.speculation.nodes, 1...256)
        case .depth: .whole(\.speculation.maximumDepth, 1...64)
        case .width: .whole(\.speculation.maximumBranch, 1...64)
        }
    }

    /// The values it takes, in words.
    public var allowed: String { form.allowed }

    public func value(in options: GenerationOptions) -> String { form.value(in: options) }

    /// Takes over a value as it was written; returns whether it is allowed, and changes nothing when it is not.
    public func set(_ text: String, in options: inout GenerationOptions) -> Bool { form.set(text, in: &options) }

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
