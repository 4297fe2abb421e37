// SpeculationFlags.swift — the options about drafting; none of them can change a byte of the answer.

public import ArgumentParser
public import Engine

extension SpeculationPolicy: ExpressibleByArgument {}

struct SpeculationFlags: ParsableArguments {
    static let mostNodes = 256

    @Option(help: "How to draft: not at all, one path, or a tree sized by what it costs.")
    var speculation: SpeculationPolicy = .dynamic

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Give every draft tree this many nodes, the root counted, instead of the best.", valueName: "n"))
    var nodes: Int?

    func validate() throws {
        guard nodes.map({ (1...Self.mostNodes).contains($0) }) ?? true else {
            throw ValidationError("--nodes must be between 1 and \(Self.mostNodes)")
        }
    }

    var options: SpeculationOptions {
        var options = SpeculationOptions()
        options.policy = speculation
        options.nodes = nodes
        return options
    }
}
