// CheckpointDescription.swift — what a file, a folder or a name stands for, in lines for people: `specchat inspect`.

/// A model, a part of one, or something that is none, in words.
public struct CheckpointDescription: Sendable, Equatable {
    /// One fact: a name and what the file says. No control characters, whatever the file holds.
    public struct Line: Sendable, Equatable {
        public let name: String
        public let value: String

        /// - Parameter longest: characters that are shown of the value.
        init(_ name: String, _ value: String, longest: Int = 300) {
            self.name = printable(name)
            self.value = printable(value, longest: longest)
        }
    }

    /// Lines that belong together: the keys of a file, its tensors, one part of a bundle.
    public struct Section: Sendable, Equatable {
        public let title: String
        public let lines: [Line]

        init(_ title: String, _ lines: [Line]) {
            self.title = printable(title)
            self.lines = lines
        }
    }

    /// What it is, most telling first; the last line says whether it runs here.
    public internal(set) var summary: [Line]
    public internal(set) var sections: [Section]

    init(_ summary: [Line], sections: [Section] = []) {
        self.summary = summary
        self.sections = sections.filter { !$0.lines.isEmpty }
    }

    /// All lines as one text, names in a column.
    public var text: String {
        func block(_ lines: [Line], indent: String) -> [String] {
            let width = lines.map(\.name.count).max() ?? 0
            return lines.map { indent + $0.name + String(repeating: " ", count: width - $0.name.count + 2) + $0.value }
        }
        var lines = block(summary, indent: "")
        for section in sections { lines += ["", section.title] + block(section.lines, indent: "  ") }
        return lines.joined(separator: "\n")
    }

    /// The lines below a title.
    func lines(of title: String) -> [Line] { sections.first { $0.title == title }?.lines ?? [] }

    /// Whether something is wrong with it.
    var hasProblem: Bool { summary.contains { $0.name == Line.problem } }
}

extension CheckpointDescription.Line {
    static let problem = "problem"

    /// What to do, a command perhaps, is told in full.
    init(advice: String, as name: String) { self.init(name, advice, longest: 2_000) }

    init(_ error: any Error) { self.init(advice: "\(error)", as: Self.problem) }
}

/// Lines that are put together while what they speak of is read; what cannot be read becomes a line too.
struct DescriptionLines {
    typealias Line = CheckpointDescription.Line
    private(set) var lines: [Line] = []

    mutating func add(_ name: String, _ value: String) { lines.append(Line(name, value)) }

    mutating func add(_ more: [Line]) { lines += more }

    /// Lines about something that may be broken: then they say how. The same fault is told once.
    mutating func attempt(_ work: () throws -> [Line]) {
        do { lines += try work() } catch {
            let problem = Line(error)
            if !lines.contains(problem) { lines.append(problem) }
        }
    }

    /// The last line: whether it runs here, and by which command.
    mutating func conclude(_ command: @autoclosure () -> String) {
        let hasProblem = lines.contains { $0.name == Line.problem }
        add("runs here", hasProblem ? "no" : "yes: \(command())")
    }
}

/// Sizes and counts as people read them.
enum Wording {
    /// A whole number without its empty fraction.
    static func number(_ value: Float) -> String {
        Int32(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    /// Bytes in the unit that reads best; decimal, as file managers show them.
    static func size(_ bytes: Int) -> String {
        let units: [(String, Double)] = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)]
        for (unit, worth) in units where Double(bytes) >= worth {
            let tenths = Int((Double(bytes) / worth * 10).rounded())
            return "\(tenths / 10).\(tenths % 10) \(unit)"
        }
        return count(bytes, "byte")
    }

    /// "1 block", "2 blocks".
    static func count(_ number: Int, _ thing: String) -> String { "\(number) \(thing)\(number == 1 ? "" : "s")" }

    static func shape(_ sizes: [Int]) -> String {
        sizes.isEmpty ? "a single number" : sizes.map(String.init).joined(separator: " × ")
    }

    /// A path as a shell takes it.
    static func argument(_ path: String) -> String {
        let plain = path.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+:,@%".contains($0)) }
        return plain ? path : "'" + path.replacing("'", with: "'\\''") + "'"
    }
}

/// How much there is of each type of number.
struct TypeTotals {
    private var order: [String] = []
    private var totals: [String: (count: Int, numbers: Int, bytes: Int)] = [:]

    /// Adds a tensor; one of unknown size may claim any number of numbers.
    mutating func add(_ type: String, numbers: Int, bytes: Int) {
        if totals[type] == nil { order.append(type) }
        let old = totals[type] ?? (0, 0, 0)
        let (sum, overflow) = old.numbers.addingReportingOverflow(numbers)
        totals[type] = (old.count + 1, overflow ? .max : sum, old.bytes + bytes)
    }

    var lines: [CheckpointDescription.Line] {
        order.map { type in
            let total = totals[type] ?? (0, 0, 0)
            return CheckpointDescription.Line(
                type,
                "\(Wording.count(total.count, "tensor")), \(Wording.count(total.numbers, "number")), \(Wording.size(total.bytes))"
            )
        }
    }
}
