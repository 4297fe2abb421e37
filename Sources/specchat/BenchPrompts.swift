// BenchPrompts.swift — the conversations that the benchmark holds: a picture and the questions about it, in order.

import Engine
import Foundation

/// One conversation to be decoded again and again.
struct BenchPrompt: Sendable, Equatable, Decodable {
    /// One question; the file also says of what kind it is and what a right answer would be.
    struct Turn: Sendable, Equatable, Decodable {
        let question: String
    }

    /// The picture's file, relative to the prompts' own folder; absent for a conversation without one.
    let picture: String?
    let turns: [Turn]

    var questions: [String] { turns.map(\.question) }
}

/// The file `prompts.json` beside a bundle.
struct BenchPrompts: Sendable {
    static let fileName = "prompts.json"

    let prompts: [BenchPrompt]
    /// Where the pictures' paths begin.
    let folder: URL

    private struct File: Decodable { let prompts: [BenchPrompt] }

    static func read(path: String) throws -> BenchPrompts {
        let place = URL(fileURLWithPath: path)
        let data: Data
        do {
            data = try Data(contentsOf: place)
        } catch {
            throw CommandFailure(.failure, "cannot read the prompts \(path). Name a file with --prompts FILE.")
        }
        guard let file = try? JSONDecoder().decode(File.self, from: data),
            !file.prompts.isEmpty, file.prompts.allSatisfy({ !$0.turns.isEmpty })
        else {
            throw CommandFailure(
                .failure,
                "\(path) does not hold prompts as {\"prompts\": [{\"picture\": PATH, \"turns\": [{\"question\": TEXT}]}]}."
            )
        }
        return BenchPrompts(prompts: file.prompts, folder: place.deletingLastPathComponent())
    }

    /// At most `count` prompts, drawn without favour and always the same ones.
    ///
    /// Not every n-th: the prompts' numbers of turns go round in a cycle, which a step would keep in time with.
    func sample(_ count: Int) -> BenchPrompts {
        guard count < prompts.count else { return self }
        var random = SplitMix(state: 0)
        let drawn = prompts.indices.shuffled(using: &random).prefix(count).sorted()
        return BenchPrompts(prompts: drawn.map { prompts[$0] }, folder: folder)
    }

    func picture(of prompt: BenchPrompt) throws -> PixelImage? {
        try prompt.picture.map { name throws(ImageError) in
            try PixelImage.read(URL(fileURLWithPath: name, relativeTo: folder).path)
        }
    }
}
