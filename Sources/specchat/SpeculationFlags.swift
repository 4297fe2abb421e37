// SpeculationFlags.swift — the options about drafting; none of them can change a byte of the answer.

public import ArgumentParser
public import Engine

extension SpeculationPolicy: ExpressibleByArgument {}

struct SpeculationFlags: ParsableArguments {
    @Option(help: "How to draft: not at all, one path, or a tree sized by what it costs (the default).")
    var speculation: SpeculationPolicy?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Give every draft tree this many nodes, the root counted, instead of the best (auto).", valueName: "n"))
    var nodes: String?

    func validate() throws { try SettingEntry.check(entries) }

    var entries: [SettingEntry] {
        SettingEntry.flag(.speculation, speculation.map { .text($0.rawValue) })
            + SettingEntry.flag(.nodes, nodes.map { SettingKey.nodes.form.value(of: $0) })
    }
}
