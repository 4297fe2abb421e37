// CostTable.swift — what passes cost, as tables for people: curves by rows, prompts, the picture, and the chains of drafted
// tokens that they make worth while. Printed by `bench --costs`.

import Engine

struct CostTable {
    let model: String
    let report: CostReport

    var text: String {
        let heading =
            "\(model), \(report.threads) \(report.threads == 1 ? "thread" : "threads"), \(report.backend); "
            + "medians in milliseconds, beside them the ratio to one row"
        var blocks = [[heading, "Loading took \(decimal(report.load, 2)) s."]]
        for name in names {
            blocks.append(["\(name): a pass that scores every row"] + aligned(passes(of: name)))
            blocks.append(["\(name): reading a prompt"] + aligned(prompts(of: name)))
        }
        if !report.picture.isEmpty {
            blocks.append(["One picture through tower and projector: \(milliseconds(median(report.picture))) ms."])
        }
        if let draft = names.last, draft != names.first {
            blocks.append(
                ["Chains that would pay, by the acceptance of a drafted token (nodes, speedup):"]
                    + aligned(chains(draft: draft)))
        }
        return blocks.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    /// The models in the order in which they were timed; the target first.
    private var names: [String] { Self.distinct(report.entries.map(\.model)) }
    private var contexts: [Int] { Self.distinct(report.entries.filter { $0.kind == .verify }.map(\.context)) }

    private static func distinct<Value: Equatable>(_ values: [Value]) -> [Value] {
        var distinct: [Value] = []
        for value in values where !distinct.contains(value) { distinct.append(value) }
        return distinct
    }

    private func entries(of name: String, _ kind: CostReport.Entry.Kind) -> [CostReport.Entry] {
        report.entries.filter { $0.model == name && $0.kind == kind }
    }

    private func passes(of name: String) -> [[String]] {
        let rows = Self.distinct(entries(of: name, .verify).map(\.rows))
        return [["rows"] + contexts.map { "after \($0)" }]
            + rows.map { count in
                ["\(count)"]
                    + contexts.map { context in
                        let here = seconds(of: name, rows: count, context: context)
                        let one = seconds(of: name, rows: rows[0], context: context)
                        return "\(milliseconds(here)) (\(decimal(ratio(here, one), 2)))"
                    }
            }
    }

    private func prompts(of name: String) -> [[String]] {
        [["rows", "ms", "rows/s"]]
            + entries(of: name, .prompt).map { entry in
                let seconds = median(entry.seconds)
                return ["\(entry.rows)", milliseconds(seconds), decimal(ratio(Double(entry.rows), seconds), 1)]
            }
    }

    private func seconds(of name: String, rows: Int, context: Int) -> Double {
        report.entries.first { $0.model == name && $0.kind == .verify && $0.rows == rows && $0.context == context }
            .map { median($0.seconds) } ?? 0
    }

    /// For each acceptance the longest-paying chain: tokens of a round, 1 + p + … + p^n, over its time.
    private func chains(draft: String) -> [[String]] {
        [["acceptance"] + contexts.map { "after \($0)" }]
            + [0.5, 0.6, 0.7, 0.8, 0.9].map { acceptance in
                [decimal(acceptance, 1)]
                    + contexts.map { context in
                        let best = bestChain(acceptance: acceptance, draft: draft, context: context)
                        return "\(best.nodes), \(decimal(best.speedup, 2))x"
                    }
            }
    }

    private func bestChain(acceptance: Double, draft: String, context: Int) -> (nodes: Int, speedup: Double) {
        let plain = verifySeconds(rows: 1, context: context)
        let drafted = seconds(of: draft, rows: 1, context: context)
        var best = (nodes: 1, speedup: 1.0)
        var tokens = 1.0
        var share = 1.0
        for nodes in 2...32 {
            share *= acceptance
            tokens += share
            let seconds = verifySeconds(rows: nodes, context: context) + Double(nodes - 1) * drafted
            let speedup = ratio(tokens * plain, seconds)
            if speedup > best.speedup { best = (nodes, speedup) }
        }
        return best
    }

    /// Straight lines between the sizes that were timed.
    private func verifySeconds(rows: Int, context: Int) -> Double {
        let sizes = entries(of: names[0], .verify).filter { $0.context == context }
        guard let above = sizes.first(where: { $0.rows >= rows }) else { return .infinity }
        let below = sizes.last { $0.rows <= rows } ?? above
        guard above.rows > below.rows else { return median(above.seconds) }
        let share = Double(rows - below.rows) / Double(above.rows - below.rows)
        return median(below.seconds) + share * (median(above.seconds) - median(below.seconds))
    }

    private func milliseconds(_ seconds: Double) -> String {
        decimal(seconds * 1000, seconds < 0.01 ? 3 : 1)
    }
}
