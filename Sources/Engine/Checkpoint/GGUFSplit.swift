// GGUFSplit.swift — models that llama.cpp's gguf-split has cut into several files: all of them in their order, or a word
// about what is missing. Used by GGUF.

internal import Foundation

/// What a file says of itself as a part of a model.
struct GGUFSplit: Sendable, Equatable {
    /// From 0.
    let number: Int
    let count: Int
    /// In all parts together; absent where the file does not say.
    let tensors: Int?

    /// No model is in more parts; each of them keeps a file open.
    private static let most = 512

    /// Absent for a model that is whole.
    init?(_ file: GGUF) throws(GGUFError) {
        guard file["split.count"] != nil else { return nil }
        count = try file.count("split.count", in: 0...Self.most)
        guard count > 1 else { return nil }
        number = try file.count("split.no", in: 0...count - 1)
        tensors = try file.integer("split.tensors.count")
    }

    /// "part 2 of 3".
    var title: String { "part \(number + 1) of \(count)" }

    /// The whole model, whose first part has been opened.
    func joined(to first: GGUF) throws(GGUFError) -> GGUF {
        guard number == 0 else {
            throw first.fault(.laterPart(number: number + 1, count: count, first: try path(ofPart: 0, like: first)))
        }
        var parts = [first]
        for number in 1..<count {
            let path = try path(ofPart: number, like: first)
            // A link that leads nowhere is no file either: caches have them where a download was broken off.
            guard FileManager.default.fileExists(atPath: path) else {
                throw first.fault(.missingPart((path as NSString).lastPathComponent, count: count))
            }
            parts.append(try GGUF(alone: path))
        }
        return try join(parts)
    }

    /// - Parameter parts: all that there are, in the order of their names.
    func join(_ parts: [GGUF]) throws(GGUFError) -> GGUF {
        for (number, part) in parts.enumerated() {
            let split = try GGUFSplit(part)
            guard split?.number == number, split?.count == count else {
                let wanted = "part \(number + 1) of \(count)"
                throw part.fault(.wrongPart(found: split?.title ?? "a whole model", wanted: wanted))
            }
        }
        let model = try GGUF(joining: parts)
        if let tensors, tensors != model.tensors.count {
            throw model.fault(.partTensors(found: model.tensors.count, wanted: tensors))
        }
        return model
    }

    /// The path of another part: names differ in the number alone.
    private func path(ofPart number: Int, like file: GGUF) throws(GGUFError) -> String {
        let ending = ending(self.number)
        guard file.path.hasSuffix(ending) else { throw file.fault(.unnamedParts(count: count, ending: ending)) }
        return file.path.dropLast(ending.count) + self.ending(number)
    }

    private func ending(_ number: Int) -> String {
        func padded(_ number: Int) -> String { String(repeating: "0", count: 5 - "\(number)".count) + "\(number)" }
        return "-\(padded(number + 1))-of-\(padded(count)).gguf"
    }
}
