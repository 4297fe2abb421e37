// TreeState.swift — which round the tree panel shows, how far its showing has come, and what the reader looks at.

import Engine

/// How much of the draft tree the panel shows.
public enum TreeSize: String, Sendable, Equatable, CaseIterable {
    case off, mini, full

    var next: TreeSize { self == .off ? .mini : self == .mini ? .full : .off }
}

/// The visible life of a round.
enum RoundPhase: Sendable, Equatable {
    /// The draft's proposal, all nodes waiting.
    case drafted
    /// The target's verdict on every node.
    case verified
    /// The accepted path has become text.
    case committed
}

/// What the panel asks the reader for, on the line of the hints.
enum TreePrompt: Sendable, Equatable {
    /// The beginning of a token's text, typed so far.
    case find(String)
    /// The form in which to export the round.
    case export
}

struct TreeState: Sendable, Equatable {
    var size = TreeSize.full
    /// The rounds kept for looking back; the oldest give way.
    private(set) var rounds: [SpeculationRound] = []
    /// Rounds that gave way, so that numbers stay what they were.
    private(set) var forgotten = 0
    /// Index into `rounds` of the one on the screen.
    private(set) var shown: Int?
    /// When it came to the screen, in seconds of the screen's clock.
    private(set) var shownSince = 0.0
    /// New rounds are shown as they come.
    private(set) var isFollowing = true
    /// Rounds left out between the last two shown.
    private(set) var skipped = 0
    var statistics = AnswerStatistics()
    var speeds = ConversationSpeed()

    /// The engine was asked to wait at the border of a round.
    var isEngineHeld = false
    /// The rounds of an answer that are being shown again in a chat; absent while nothing is replayed there.
    var playback: Playback?
    /// The node that is looked at; the count of the tree's nodes stands for the bonus token.
    var cursor: Int?
    /// The panel shows the node that is looked at instead of the tree, where both have no room.
    var showsDetails = false
    /// Spaces in tokens have a sign.
    var marksWhitespace = true
    /// The transcript marks which tokens came together.
    var isMirrored = false
    var prompt: TreePrompt?
    /// What was last looked for.
    var sought = ""
    /// How much faster than usual rounds follow one another on the screen.
    var pace = 1.0

    static let capacity = 4096
    /// A round stays on the screen at least this long, in seconds: its three phases can then just be followed.
    static let dwell = 0.15
    /// However fast the reader wants it: more than ten rounds a second nobody can see.
    static let shortestDwell = 0.1
    /// Rounds that come faster than that are caught up with in about so many showings.
    static let catchUpShowings = 30

    init() {}

    /// All rounds of a trace, of which the first is shown; none is forgotten.
    init(rounds: [SpeculationRound]) {
        self.rounds = rounds
        shown = rounds.isEmpty ? nil : 0
        isFollowing = false
    }

    var round: SpeculationRound? { shown.map { rounds[$0] } }
    /// The number of the shown round, from 1.
    var number: Int { forgotten + (shown ?? -1) + 1 }
    var total: Int { forgotten + rounds.count }

    /// Whether the panel will look different before long without any event.
    var isMoving: Bool { isFollowing && behind > 0 || playback?.player.isPlaying == true }

    /// Seconds that a live round stays at least.
    var dwell: Double { max(TreeState.shortestDwell, TreeState.dwell / pace) }

    mutating func append(_ round: SpeculationRound, at now: Double, speculates: Bool = true) {
        statistics.add(round)
        speeds.add(round, speculates: speculates)
        rounds.append(round)
        if rounds.count > TreeState.capacity {
            // A quarter at once: one at a time would move all others for every round.
            let excess = TreeState.capacity / 4
            rounds.removeFirst(excess)
            forgotten += excess
            shown = shown.map { max(0, $0 - excess) }
        }
        follow(at: now)
    }

    /// Goes on towards the newest round when the one shown has been there long enough. A fast answer is over before
    /// anyone has seen a tree, so the panel goes through its rounds one after another and leaves some out only when
    /// it would fall far behind.
    mutating func follow(at now: Double) {
        guard isFollowing, behind > 0 else { return }
        guard let shown else { return show(0, at: now) }
        guard now - shownSince >= dwell else { return }
        let step = max(1, behind / TreeState.catchUpShowings)
        skipped = step - 1
        show(shown + step, at: now)
    }

    /// Rounds that have come after the one on the screen.
    var behind: Int { rounds.count - 1 - (shown ?? -1) }

    mutating func show(_ index: Int, at now: Double) {
        guard !rounds.isEmpty else { return }
        let before = shown
        shown = min(max(0, index), rounds.count - 1)
        shownSince = now
        // Another round has other nodes: whoever looks at one goes on with what the target said there.
        if shown != before, cursor != nil { cursor = round?.turningPoint }
    }

    /// Looks at the round `offset` away and stops following.
    mutating func step(_ offset: Int, at now: Double) {
        isFollowing = false
        skipped = 0
        show((shown ?? 0) + offset, at: now)
    }

    mutating func pause() { isFollowing = false }

    mutating func resume(at now: Double) {
        isFollowing = true
        skipped = 0
        playback = nil
        if !rounds.isEmpty { show(rounds.count - 1, at: now) }
    }

    /// A new answer begins: what was not yet seen of the one before gives way to it.
    mutating func beginAnswer(at now: Double) {
        statistics = AnswerStatistics()
        skipped = 0
        playback = nil
        if isFollowing, behind > 0 { show(rounds.count - 1, at: now) }
    }

    /// The phase at `now`, of a showing that lasts `duration` seconds.
    func phase(at now: Double, duration: Double) -> RoundPhase {
        if now < shownSince + duration * TreeState.verdictComes { return .drafted }
        return now < shownSince + duration * TreeState.textComes ? .verified : .committed
    }

    /// When the phase after that at `now` begins; nil in the last one.
    func nextPhase(after now: Double, duration: Double) -> Double? {
        [TreeState.verdictComes, TreeState.textComes].map { shownSince + duration * $0 }.first { now < $0 }
    }

    /// The phases' borders, as parts of the time that a round is shown.
    private static let verdictComes = 0.35
    private static let textComes = 0.7

    // MARK: One answer

    /// Indices of the rounds of the answer that holds the shown one: from a round numbered 0 up to the next such.
    var shownAnswer: Range<Int>? {
        guard let shown else { return nil }
        let start = rounds[...shown].lastIndex { $0.index == 0 } ?? 0
        let end = rounds[(shown + 1)...].firstIndex { $0.index == 0 } ?? rounds.count
        return start..<end
    }

    /// Shows the answer of the shown round again from its first round.
    mutating func replayAnswer(at now: Double) {
        guard let answer = shownAnswer else { return }
        playback = Playback(player: Replay(isPlaying: true, speed: pace), last: forgotten + answer.upperBound)
        step(answer.lowerBound - (shown ?? 0), at: now)
    }

    /// Goes to the next round of a running playback when the present one has had its time, or ends it.
    mutating func advancePlayback(at now: Double) {
        guard let running = playback, running.player.isPlaying, now - shownSince >= running.player.duration else {
            return
        }
        if number < running.last { step(1, at: now) } else { playback?.player.isPlaying = false }
    }
}

/// An answer shown again within a chat.
struct Playback: Sendable, Equatable {
    var player: Replay
    /// Number of the round after which it ends.
    var last: Int
}
