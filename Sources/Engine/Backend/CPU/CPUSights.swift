// CPUSights.swift — what each row of a plan sees, as the attention kernel reads it. Made once in a pass.

import CKernels

/// One `ck_sight` for each row, with the slot lists that they point into.
///
/// A causal pass shares one list: row i sees its first i + 1 slots.
final class CPUSights {
    /// Where each row's keys and values lie.
    let slots: [Int32]
    /// Every slot that any row sees lies below this.
    let reach: Int
    let start: UnsafePointer<ck_sight>
    private let memory: PooledMemory

    /// - Parameter inCache: false when the rows see nothing but each other, in slots numbered like the rows.
    init(_ plan: ForwardPlan, inCache: Bool, pool: BufferPool) {
        let slots = inCache ? plan.slots : (0..<Int32(plan.rows)).map { $0 }
        precondition(slots.count == plan.rows, "attend: \(slots.count) slots for \(plan.rows) rows")
        let tails = Tails(plan, slots: slots)
        let sightBytes = plan.rows * MemoryLayout<ck_sight>.stride
        memory = PooledMemory(bytes: sightBytes + tails.numbers.count * 4, from: pool)
        let lists = (memory.start + sightBytes).assumingMemoryBound(to: Int32.self)
        for (index, slot) in tails.numbers.enumerated() { lists[index] = slot }
        let sights = memory.start.assumingMemoryBound(to: ck_sight.self)
        var furthest = 0
        var last: ck_sight?
        for row in 0..<plan.rows {
            let list = tails.ranges[row]
            // Lists that begin alike are walked once: a causal pass would otherwise walk its slots for every row.
            let known = row > 0 && list.lowerBound == tails.ranges[row - 1].lowerBound ? last : nil
            let sight = Self.sight(
                tail: lists + list.lowerBound, count: list.count, committed: plan.committed, extending: known)
            (sights + row).initialize(to: sight)
            furthest = max(furthest, Int(sight.reach))
            last = sight
        }
        self.slots = slots
        reach = furthest
        start = UnsafePointer(sights)
    }

    private static func sight(
        tail: UnsafePointer<Int32>, count: Int, committed: Int, extending shorter: ck_sight?
    ) -> ck_sight {
        var straight = shorter.map { Int($0.straight) - committed } ?? 0
        var reach = max(Int(shorter?.reach ?? 0), committed + count)
        let walked = Int(shorter?.count ?? 0)
        if straight == walked {
            while straight < count, Int(tail[straight]) == committed + straight { straight += 1 }
        }
        for index in max(walked, straight)..<max(count, straight) {
            precondition(tail[index] >= 0, "attend: a negative slot")
            reach = max(reach, Int(tail[index]) + 1)
        }
        return ck_sight(
            tail: tail, count: Int32(count), straight: Int32(committed + straight), reach: Int32(reach))
    }
}

/// The slots seen beyond the committed ones: one array, and each row's range of it.
private struct Tails {
    let numbers: [Int32]
    let ranges: [Range<Int>]

    init(_ plan: ForwardPlan, slots: [Int32]) {
        switch plan.sight {
        case .everyRow:
            numbers = slots
            ranges = slots.map { _ in slots.indices }
        case .causal:
            numbers = slots
            ranges = slots.indices.map { 0..<$0 + 1 }
        case .ancestors(let lists):
            precondition(lists.count == slots.count, "attend: \(lists.count) ancestor lists for \(slots.count) rows")
            var numbers: [Int32] = [], ranges: [Range<Int>] = []
            for (list, slot) in zip(lists, slots) {
                let first = numbers.count
                numbers += list
                numbers.append(slot)
                ranges.append(first..<numbers.count)
            }
            (self.numbers, self.ranges) = (numbers, ranges)
        }
    }
}
