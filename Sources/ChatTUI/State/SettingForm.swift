// SettingForm.swift — how the value of a setting is written, where it is kept and what bounds it has. Used by Setting.

public import Engine

extension Setting {
    /// A place in the options. Key paths are values, but their type does not say so.
    public typealias Place<Value> = any WritableKeyPath<GenerationOptions, Value> & Sendable

    /// The place of a value and what it may be.
    public enum Form: Sendable {
        case number(Place<Float>, ClosedRange<Float>)
        case whole(Place<Int>, ClosedRange<Int>)
        /// Absent is written "auto".
        case wholeOrAuto(Place<Int?>, ClosedRange<Int>)
        case seed(Place<UInt64>)

        /// The upper bound of whole numbers that have none worth a word.
        static let most = Int(Int32.max)
        static let auto = "auto"
    }
}

extension Setting.Form {
    /// The values in words.
    var allowed: String {
        switch self {
        case .number(_, let range) where range.lowerBound == .leastNormalMagnitude:
            "a number above 0, up to \(Self.text(range.upperBound))"
        case .number(_, let range): "a number from \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))"
        case .whole(_, let range): Self.text(range)
        case .wholeOrAuto(_, let range): "\(Self.auto), or \(Self.text(range))"
        case .seed: "a whole number from 0"
        }
    }

    private static func text(_ range: ClosedRange<Int>) -> String {
        "a whole number from \(range.lowerBound)" + (range.upperBound < most ? " to \(range.upperBound)" : "")
    }

    /// A bound without a fraction where it has none.
    private static func text(_ bound: Float) -> String { Int(exactly: bound).map(String.init) ?? "\(bound)" }

    func value(in options: GenerationOptions) -> String {
        switch self {
        case .number(let place, _): "\(options[keyPath: place])"
        case .whole(let place, _): "\(options[keyPath: place])"
        case .wholeOrAuto(let place, _): options[keyPath: place].map { "\($0)" } ?? Self.auto
        case .seed(let place): "\(options[keyPath: place])"
        }
    }

    /// Returns whether the text is a value that is allowed; changes nothing when it is not.
    func set(_ text: String, in options: inout GenerationOptions) -> Bool {
        switch self {
        case .number(let place, let range):
            // A decimal point or a decimal comma; never infinite or not a number, which no range holds.
            Self.set(&options[keyPath: place], Float(text.replacing(",", with: ".")), in: range)
        case .whole(let place, let range): Self.set(&options[keyPath: place], Int(text), in: range)
        case .wholeOrAuto(let place, let range): Self.set(&options[keyPath: place], text, in: range)
        case .seed(let place): Self.set(&options[keyPath: place], UInt64(text), in: 0...UInt64.max)
        }
    }

    private static func set<Value>(_ place: inout Value, _ value: Value?, in range: ClosedRange<Value>) -> Bool {
        guard let value, range.contains(value) else { return false }
        place = value
        return true
    }

    private static func set(_ place: inout Int?, _ text: String, in range: ClosedRange<Int>) -> Bool {
        if text.lowercased() == auto {
            place = nil
            return true
        }
        guard let value = Int(text), range.contains(value) else { return false }
        place = value
        return true
    }
}
