// LookupCalibration.swift — what a found continuation has proved worth, by how it was found. Kept in the CostModel.

/// Why a looked-up token might be the target's.
struct LookupEvidence: Sendable, Equatable {
    /// What the places that the match was found at say about the token.
    enum Support: Int, Sendable, CaseIterable {
        /// There is one place.
        case single
        /// All of several places go on with it.
        case unanimous
        /// Places differ, and the longest match goes on with it.
        case leading
        /// Places differ, and a shorter or older match goes on with it.
        case other
    }

    /// What a draft model said of the same place.
    enum Testimony: Int, Sendable, CaseIterable {
        case none, agrees, differs
    }

    /// Tokens before it that agree, at least 1.
    let length: Int
    let support: Support
    var testimony = Testimony.none
}

/// How often the target chose a looked-up token, given that it came by the parent: counted by length of the match, by
/// support and by testimony, over a prior that is worth a few observations.
struct LookupCalibration: Sendable {
    private struct Bin: Sendable {
        var accepted = 0.0
        var proposed = 0.0
    }
    private static let lengths = 8
    private static let priorStrength = 6.0
    private static let memory = 0.999
    private var bins = [Bin](
        repeating: Bin(),
        count: lengths * LookupEvidence.Support.allCases.count * LookupEvidence.Testimony.allCases.count)

    /// Estimated probability that the target chooses it, in 0...1.
    func acceptance(_ evidence: LookupEvidence) -> Float {
        let bin = bins[Self.bin(evidence)]
        return Float(
            (bin.accepted + Self.priorStrength * Self.prior(evidence)) / (bin.proposed + Self.priorStrength))
    }

    mutating func record(_ evidence: LookupEvidence, accepted: Bool) {
        let index = Self.bin(evidence)
        bins[index].accepted = bins[index].accepted * Self.memory + (accepted ? 1 : 0)
        bins[index].proposed = bins[index].proposed * Self.memory + 1
    }

    private static func prior(_ evidence: LookupEvidence) -> Double {
        let byLength = [0.08, 0.18, 0.35, 0.5, 0.6, 0.7, 0.8, 0.85][place(of: evidence.length)]
        let bySupport =
            switch evidence.support {
            case .single: 1.0
            case .unanimous: 1.1
            case .leading: 0.7
            case .other: 0.25
            }
        switch evidence.testimony {
        case .none: return byLength * bySupport
        case .agrees: return 1 - (1 - byLength * bySupport) * 0.3
        case .differs: return byLength * bySupport * 0.15
        }
    }

    private static func bin(_ evidence: LookupEvidence) -> Int {
        (evidence.testimony.rawValue * LookupEvidence.Support.allCases.count + evidence.support.rawValue) * lengths
            + place(of: evidence.length)
    }

    /// 1, 2, 3, 4, 5 and 6, 7 to 9, 10 to 14, more.
    private static func place(of length: Int) -> Int {
        switch length {
        case ...4: max(0, length - 1)
        case 5...6: 4
        case 7...9: 5
        case 10...14: 6
        default: 7
        }
    }
}
