// JournalRecord.swift — the journal of an answer as bytes. Written by AnswerJournal, read back when its writer is gone.

import Engine
import Foundation

/// One record: a letter, the length of what follows (4 bytes, little-endian as all numbers), the content, and the first 8
/// bytes of the SHA-256 of all that.
enum JournalRecord: Sendable, Equatable {
    /// The turn that the journal belongs to, by its row in the store; always the first record.
    case turn(row: Int64)
    case round(JournalRound)
    case ending(JournalEnding)

    private static let headBytes = 5
    private static let checkBytes = 8

    // MARK: Writing

    var bytes: [UInt8] {
        var bytes: [UInt8] = [letter, 0, 0, 0, 0]
        switch self {
        case .turn(let row): bytes.append(row)
        case .round(let round):
            bytes.append(round.number)
            bytes.append(round.drafted)
            bytes.append(round.accepted)
            bytes.append(round.seconds.bitPattern)
            bytes.append(UInt32(round.tokens.count))
            for token in round.tokens { bytes.append(token) }
            bytes += round.text.utf8
        case .ending(let ending):
            guard let data = try? JSONEncoder().encode(ending) else { return [] }
            bytes += data
        }
        let length = UInt32(bytes.count - Self.headBytes)
        for index in 0..<4 { bytes[1 + index] = UInt8(truncatingIfNeeded: length >> (8 * UInt32(index))) }
        return bytes + Self.check(bytes[...])
    }

    private var letter: UInt8 {
        switch self {
        case .turn: UInt8(ascii: "t")
        case .round: UInt8(ascii: "r")
        case .ending: UInt8(ascii: "e")
        }
    }

    private static func check(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        SHA256Digest(of: bytes).bytes.prefix(checkBytes)
    }

    // MARK: Reading

    /// The records up to the first that is torn or damaged.
    static func all(in bytes: [UInt8]) -> [JournalRecord] {
        var records: [JournalRecord] = []
        var rest = bytes[...]
        while let record = first(of: &rest) { records.append(record) }
        return records
    }

    private static func first(of rest: inout ArraySlice<UInt8>) -> JournalRecord? {
        var head = rest.prefix(headBytes).dropFirst()
        guard let letter = rest.first, let length = head.take(UInt32.self) else { return nil }
        let end = headBytes + Int(length)
        guard rest.count >= end + checkBytes else { return nil }
        let (whole, after) = (rest.prefix(end), rest.dropFirst(end))
        guard after.prefix(checkBytes) == check(whole) else { return nil }
        rest = after.dropFirst(checkBytes)
        return record(letter, whole.dropFirst(headBytes))
    }

    private static func record(_ letter: UInt8, _ content: ArraySlice<UInt8>) -> JournalRecord? {
        switch letter {
        case UInt8(ascii: "t"):
            var content = content
            return content.take(Int64.self).map { .turn(row: $0) }
        case UInt8(ascii: "r"): return JournalRound(content).map { .round($0) }
        case UInt8(ascii: "e"):
            return (try? JSONDecoder().decode(JournalEnding.self, from: Data(content))).map { .ending($0) }
        default: return nil
        }
    }
}

extension JournalRound {
    fileprivate init?(_ content: ArraySlice<UInt8>) {
        var rest = content
        guard let number = rest.take(UInt32.self), let drafted = rest.take(UInt32.self),
            let accepted = rest.take(UInt32.self), let seconds = rest.take(UInt64.self),
            let count = rest.take(UInt32.self), rest.count >= 4 * Int(count)
        else { return nil }
        let tokens = (0..<count).compactMap { _ in rest.take(Int32.self) }
        guard let text = String(validating: rest, as: UTF8.self) else { return nil }
        self.init(
            number: number, drafted: drafted, accepted: accepted, seconds: Double(bitPattern: seconds), tokens: tokens,
            text: text)
    }
}

/// What a journal says of an answer whose writer is gone.
struct JournalAnswer: Sendable, Equatable {
    let row: Int64
    /// Without rounds: their trees are not in the journal.
    private(set) var progress = TurnProgress()
    private(set) var state = TurnState.broken
    private(set) var hasReport = false

    /// Absent where the bytes are no journal, or say nothing of an answer.
    init?(_ bytes: [UInt8]) {
        let records = JournalRecord.all(in: bytes)
        guard case .turn(let row)? = records.first, records.count > 1 else { return nil }
        self.row = row
        var rounds: UInt32 = 0
        for record in records.dropFirst() {
            switch record {
            case .round(let round) where round.number == rounds:
                rounds += 1
                progress.add(round)
            case .ending(let ending):
                take(ending)
                return
            case .turn, .round: return
            }
        }
    }

    private mutating func take(_ ending: JournalEnding) {
        state = ending.state
        guard let report = ending.report else { return }
        (progress.answer, progress.tokens, progress.statistics) = (report.answer, report.tokens, report.statistics)
        hasReport = true
    }
}

extension TurnProgress {
    fileprivate mutating func add(_ round: JournalRound) {
        answer += round.text
        tokens += round.tokens
        statistics.tokens += round.tokens.count
        statistics.rounds += 1
        statistics.drafted += Int(round.drafted)
        statistics.accepted += Int(round.accepted)
        statistics.seconds.decode += round.seconds
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
}

extension ArraySlice<UInt8> {
    /// The number at the beginning, which is taken away; absent where there are too few bytes.
    fileprivate mutating func take<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
        let size = MemoryLayout<Number>.size
        guard count >= size else { return nil }
        let number = withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(as: Number.self)) }
        removeFirst(size)
        return number
    }
}
