// LookupDrafter.swift — proposes what came after the same words before: in this conversation, or in earlier answers.

/// Drafts without a model, from n-grams of what was said.
///
/// It keeps the tokens of the text and of earlier answers, a few words of memory for each. The longest earlier match of
/// the text's end is believed most; several continuations make a tree. Source: prompt lookup decoding (Saxena 2023) and
/// REST (arXiv 2311.08252), with measured acceptance in the place of fixed lengths.
final class LookupDrafter: Drafter {
    let name = "lookup"
    private let stopTokens: Set<Int32>
    /// Earlier answers, then the text, with borders between them.
    private var text = LookupText()
    /// Where the text begins.
    private var start = 0
    /// Tokens and picture rows of the text, by which it is cut.
    private var pictures: [(place: Int, rows: Int)] = []

    /// A path deeper than this has never been worth its nodes.
    private static let deepest = 24
    private static let mostPlaces = 8
    /// Candidates that are handed over at most.
    private static let mostCandidates = 48

    /// - Parameter earlier: answers of other conversations, the oldest first.
    init(stopTokens: Set<Int32>, earlier: [[Int32]] = []) {
        self.stopTokens = stopTokens
        remember(earlier)
    }

    func clear() {
        text.truncate(to: start)
        pictures = []
    }

    /// Begins an empty text after other answers than before.
    func clear(earlier: [[Int32]]) {
        start = 0
        clear()
        remember(earlier)
    }

    private func remember(_ earlier: [[Int32]]) {
        for answer in earlier {
            text.append(contentsOf: answer)
            text.append(LookupText.border)
        }
        start = text.count
    }

    func append(_ tokens: [Int32]) { text.append(contentsOf: tokens) }

    func append(picture features: any Matrix, rows: Int) { appendPicture(rows: rows) }

    func begin(with opening: DraftOpening) {
        append(opening.tokens)
        if opening.pictureRows > 0 { appendPicture(rows: opening.pictureRows) }
    }

    private func appendPicture(rows: Int) {
        pictures.append((text.count, rows))
        text.append(LookupText.border)
    }

    func truncate(toTokens tokens: Int, pictureRows: Int) {
        var rows = 0
        let kept = pictures.prefix { picture in
            rows += picture.rows
            return rows <= pictureRows
        }
        // A picture that goes takes with it what was read after it.
        if kept.count < pictures.count { text.truncate(to: min(text.count, pictures[kept.count].place)) }
        pictures = Array(kept)
        text.truncate(to: min(text.count, start + tokens + pictures.count))
        pictures.removeAll { $0.place >= text.count }
    }

    func prefill(step: () throws -> Void) throws {}

    func observe(_ outcome: DraftOutcome) { append(outcome.settled) }

    func propose(_ request: DraftRequest, into growth: inout TreeGrowth) {
        let branch = growth.options.policy == .chain ? 1 : Self.mostPlaces
        let matches = text.matches(endingIn: request.root, count: branch)
        guard !matches.isEmpty else { return }
        let found = Continuations(
            of: matches, in: text.tokens, stopTokens: stopTokens,
            depth: min(Self.deepest, request.limit - 1, growth.nodeLimit - 1), most: Self.mostCandidates)
        var places: [Int?] = []
        for node in found.nodes {
            // What nobody would verify has no successors that anybody would.
            let parent: Int?
            if let above = node.parent {
                guard let place = places[above] else {
                    places.append(nil)
                    continue
                }
                parent = place
            } else {
                parent = nil
            }
            places.append(growth.add(found: node.token, evidence: found.evidence(for: node), below: parent))
        }
    }
}

/// What came after several places of a text, as a tree.
private struct Continuations {
    struct Node {
        let token: Int32
        /// Absent below the root.
        let parent: Int?
        /// Tokens that agree before this one at the best of its places.
        let length: Int
        /// Whether it belongs to the longest match at its parent.
        let isFirst: Bool
        /// Places that go on with it.
        var places = 1
    }
    private(set) var nodes: [Node] = []
    /// Places that go on with any token after a node, and after the root.
    private var placesAfter: [Int: Int] = [:]
    private static let root = -1

    /// - Parameter matches: the longest first.
    init(of matches: [LookupText.Match], in tokens: [Int32], stopTokens: Set<Int32>, depth: Int, most: Int) {
        // Level by level, so that a limit cuts the deep end and not the shorter matches.
        var ends: [Int?] = matches.map { _ in nil }
        var isAlive = matches.map { _ in true }
        var children: [Int: [Int]] = [:]
        for level in 0..<max(0, depth) {
            for (index, match) in matches.enumerated() where isAlive[index] {
                let place = match.next + level
                guard place < tokens.count, tokens[place] >= 0, !stopTokens.contains(tokens[place]) else {
                    isAlive[index] = false
                    continue
                }
                let above = ends[index] ?? Self.root
                placesAfter[above, default: 0] += 1
                let siblings = children[above] ?? []
                if let known = siblings.first(where: { nodes[$0].token == tokens[place] }) {
                    nodes[known].places += 1
                    ends[index] = known
                } else if nodes.count < most {
                    nodes.append(
                        Node(
                            token: tokens[place], parent: ends[index], length: match.length + level,
                            isFirst: siblings.isEmpty))
                    children[above, default: []].append(nodes.count - 1)
                    ends[index] = nodes.count - 1
                } else {
                    isAlive[index] = false
                }
            }
        }
    }

    func evidence(for node: Node) -> LookupEvidence {
        let all = placesAfter[node.parent ?? Self.root] ?? node.places
        let support: LookupEvidence.Support =
            if node.places == all { all == 1 ? .single : .unanimous } else { node.isFirst ? .leading : .other }
        return LookupEvidence(length: node.length, support: support)
    }
}
