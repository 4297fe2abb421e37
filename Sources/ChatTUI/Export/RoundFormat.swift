// RoundFormat.swift — the forms in which a round leaves the program: for papers, slides, scripts and people.

public import Engine
import Foundation

public enum RoundFormat: String, Sendable, Equatable, CaseIterable {
    /// The tree as it is printed off a screen.
    case text
    /// The round as in a trace, on many lines.
    case json
    /// Graphviz.
    case dot
    /// A still picture.
    case svg
    /// A page that shows the rounds one after another, with nothing from elsewhere.
    case html

    /// The format that a key of the panel asks for.
    init?(key: Character) {
        switch key {
        case "t": self = .text
        case "j": self = .json
        case "d": self = .dot
        case "s": self = .svg
        case "h": self = .html
        default: return nil
        }
    }

    /// Ending of a file's name.
    public var fileEnding: String { self == .text ? "txt" : rawValue }
}

/// A round and its place among those that are shown with it.
public struct NumberedRound: Sendable, Equatable {
    /// From 1; counts on over the answers of a trace.
    public let number: Int
    public let round: SpeculationRound
    /// What was asked, at the first round of an answer.
    public let question: String?

    public init(number: Int, round: SpeculationRound, question: String? = nil) {
        self.number = number
        self.round = round
        self.question = question
    }
}

/// Rounds as files.
public enum RoundExport {
    /// The rounds in the given form. A picture and a graph show the first of them; the other forms hold all.
    ///
    /// - Parameter title: named at the top of a page.
    public static func render(_ rounds: [NumberedRound], as format: RoundFormat, title: String) -> String {
        guard let first = rounds.first else { return "" }
        switch format {
        case .text: return replayText(rounds.map(\.round))
        case .json: return json(rounds.map(\.round))
        case .dot: return RoundGraph.dot(first)
        case .svg: return RoundPicture.svg(first)
        case .html: return RoundPage.html(rounds, title: title)
        }
    }

    private static func json(_ rounds: [SpeculationRound]) -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = rounds.count == 1 ? try? encoder.encode(rounds[0]) : try? encoder.encode(rounds)
        // Numbers that are no numbers cannot be written as JSON; a round that was read or made holds none.
        return data.map { String(decoding: $0, as: UTF8.self) + "\n" } ?? ""
    }
}

/// The file that the panel's export key writes.
enum RoundFile {
    private static let mostFiles = 99

    /// Writes the round into the present folder under a name that is free, and says where.
    static func write(_ round: SpeculationRound, number: Int, as format: RoundFormat) -> AppEvent {
        let text = RoundExport.render([NumberedRound(number: number, round: round)], as: format, title: "specchat")
        for copy in 1...mostFiles {
            let name = "specchat-round-\(number)\(copy == 1 ? "" : "-\(copy)").\(format.fileEnding)"
            let descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else {
                if errno == EEXIST { continue }
                return .exported("cannot write \(name): \(String(cString: strerror(errno)))")
            }
            do {
                try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(contentsOf: Data(text.utf8))
                return .exported("round \(number) is in \(name)")
            } catch {
                unlink(name)
                return .exported("cannot write \(name): \(PlainOutput.reason(error))")
            }
        }
        return .exported("there are \(mostFiles) exports of round \(number) here already; remove some")
    }
}
