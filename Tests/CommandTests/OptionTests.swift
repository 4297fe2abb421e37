// OptionTests.swift — what the command line accepts, and the sentence with which it refuses the rest.

import ArgumentParser
import ChatTUI
import Engine
import Testing

@testable import specchat

@Suite struct `Options` {
    /// The words with which a command line is refused; nil when it is accepted.
    private func refusal(_ arguments: String) -> String? {
        do {
            _ = try Specchat.parseAsRoot(arguments.split(separator: " ").map(String.init))
            return nil
        } catch {
            return Specchat.message(for: error)
        }
    }

    @Test(arguments: [
        ("ask x --temperature -1", "--temperature must be a number from 0 to 10"),
        ("ask x --temperature nan", "--temperature must be a number from 0 to 10"),
        ("ask x --temperature inf", "--temperature must be a number from 0 to 10"),
        ("ask x --temperature 11", "--temperature must be a number from 0 to 10"),
        ("ask x --top-k -1", "--top-k must be a whole number from 0"),
        ("ask x --top-p 1.5", "--top-p must be a number from 0 to 1"),
        ("ask x --top-p nan", "--top-p must be a number from 0 to 1"),
        ("ask x --min-p -0.1", "--min-p must be a number from 0 to 1"),
        ("ask x --repetition-penalty 0", "--repetition-penalty must be a number above 0, up to 10"),
        ("ask x --max-tokens 0", "--max-tokens must be a whole number from 1"),
        ("ask x --seed -1", "The value '-1' is invalid for '--seed <n>'"),
        ("ask x --threads 0", "--threads must be between 1 and 1024"),
        ("ask x --context 0", "--context must be 1 or more"),
        ("ask x --nodes 0", "--nodes must be auto, or a whole number from 1 to 256"),
        ("ask x --nodes many", "--nodes must be auto, or a whole number from 1 to 256"),
        ("ask x --nodes 257", "--nodes must be auto, or a whole number from 1 to 256"),
        ("ask", "there is no question. Give it as the argument, or pipe it into `specchat ask -`"),
        ("ask x --prompt y", "give one question: as the argument, --prompt or --batch"),
        ("ask x --batch q", "give one question: as the argument, --prompt or --batch"),
        ("ask x --json --jsonl", "give one of --json and --jsonl"),
        ("ask x --out a", "--out goes with --batch; --output FILE is for one answer"),
        ("ask x --force", "--force goes with --output or --out"),
        ("ask - --no-stdin", "the question - is the standard input, which --no-stdin leaves unread"),
        ("ask --batch q --json", "--json is for one question and does not go with --batch"),
        ("ask --batch q --image i", "--image is for one question and does not go with --batch"),
        (
            "ask --batch q --output a",
            "--output is for one question and does not go with --batch; --out says where the answers go"
        ),
        ("score --text x", "give one of --prompt QUESTION and --raw-prompt TEXT"),
        ("score --text x --prompt a --raw-prompt b", "give one of --prompt QUESTION and --raw-prompt TEXT"),
        ("score --text x --raw-prompt b --image i", "--raw-prompt needs <image> where the rows of --image go"),
        ("chat --pace -1", "--pace must be between 0 and 60 seconds a round"),
        ("chat --picture-cache much", "--picture-cache must be a number of bytes or a size such as \"512 MB\""),
        ("chat --pace nan", "--pace must be between 0 and 60 seconds a round"),
        ("chat --continue --resume a", "give one of --continue and --resume ID"),
        ("chat --no-save --keep-images", "--no-save stores nothing, so --keep-images has no meaning with it"),
        ("bench --rounds 0", "--rounds must be 1 or more"),
        ("bench --conversations 0", "--conversations must be 1 or more"),
        ("bench --cases -1", "--cases must be 0 (all) or more"),
        ("bench --contexts 64", "--contexts goes with --costs"),
        ("bench --costs --contexts 2000000", "--contexts must be from 0 to 1000000"),
        ("bench --requests", "--requests goes with --costs"),
        (
            "bench --costs --requests --contexts 64",
            "with --requests each request says its own contexts: leave --contexts out"
        ),
        ("bench --temperatures 0 1 --temperature 0", "--temperature and --temperatures say the same: choose one"),
        ("bench --temperatures 0 0.0", "--temperatures names 0.0 twice"),
        ("bench --temperatures 0 50", "--temperature must be a number from 0 to 10"),
        (
            "bench --lossless --temperatures 0 1",
            "--temperatures chooses what is timed; --costs and --lossless choose for themselves"
        ),
        ("bench --costs --lossless", "--costs and --lossless are two benchmarks: choose one"),
        ("bench --speculation off", "--speculation off is what the others are held against: choose chain or dynamic"),
        (
            "bench --lossless --speculation chain",
            "--speculation chooses what is timed; --costs and --lossless take every policy"
        ),
    ])
    func `refuse a number that makes no sense in one sentence`(line: String, sentence: String) {
        #expect(refusal(line) == sentence)
    }

    @Test(arguments: [
        "ask x --temperature 0", "ask x --temperature 2.5", "ask x --top-p 0", "ask x --top-p 1", "ask x --nodes 1",
        "ask - --json --stats", "ask -p -x", "ask --batch - --out a --force --seed 3",
        "ask x --image a --image b --stdin", "ask x --speculation chain --draft none", "score --text x --prompt -",
        "bench --quick --lossless --cases 0", "inspect f --tokenize -", "replay f", "chat --image x", "--image x",
        "--theme high-contrast --color never --pace 0.2", "--continue", "chat --resume 12 --keep-images",
    ])
    func `accept what the help promises`(line: String) {
        #expect(refusal(line) == nil)
    }

    @Test func `reach the engine unchanged`() throws {
        let line =
            "--temperature 0.7 --top-k 40 --top-p 0.9 --min-p 0.05 --repetition-penalty 1.1 --seed 18446744073709551615 "
            + "--max-tokens 7"
        var settings = Settings()
        try settings.take(SamplerFlags.parse(line.split(separator: " ").map(String.init)).entries)
        try settings.take(SpeculationFlags.parse(["--speculation", "chain", "--nodes", "12"]).entries)
        var expected = SamplerOptions()
        (expected.temperature, expected.topK, expected.topP, expected.minP) = (0.7, 40, 0.9, 0.05)
        (expected.repetitionPenalty, expected.seed) = (1.1, .max)
        #expect(settings.generation.sampler == expected)
        #expect(settings.generation.maximumTokens == 7)
        #expect(settings.generation.speculation.policy == .chain)
        #expect(settings.generation.speculation.nodes == 12)
    }

    @Test func `about the screen and the conversation reach the chat`() throws {
        let nothing: @Sendable () -> EventStream = { EventStream { $0.finish() } }
        var configuration = ChatConfiguration(
            source: ChatSource(
                load: nothing, attach: { _ in nothing() }, ask: { _, _ in nothing() }, clear: nothing), modelName: "m")
        var settings = Settings()
        let screen =
            "--theme light --color always --pace 0.5 --image-protocol none --tree off --no-markdown --editor ed"
        try settings.take(ScreenFlags.parse(screen.split(separator: " ").map(String.init)).entries)
        try settings.take(ConversationFlags.parse(["--no-save", "--picture-cache", "3 kB"]).entries)
        settings.keepImages = true
        settings.apply(to: &configuration)
        #expect(configuration.theme == .light && configuration.color == .always)
        #expect(configuration.options.pace == 0.5 && configuration.imageProtocol == .none)
        #expect(configuration.treeSize == .off && !configuration.rendersMarkdown && configuration.editor == "ed")
        #expect(!configuration.savesConversations && configuration.keepsImages)
        #expect(configuration.pictureCacheBytes == 3000)
    }

    @Test func `name the conversation to go on with`() throws {
        #expect(try ConversationFlags.parse(["--resume", "7"]).choice == .stored(id: "7"))
        #expect(try ConversationFlags.parse(["--continue"]).choice == .latest)
        #expect(try ConversationFlags.parse([]).choice == .new)
    }

    @Test func `have the same defaults everywhere`() throws {
        let nothing: @Sendable () -> EventStream = { EventStream { $0.finish() } }
        let plain = ChatConfiguration(
            source: ChatSource(
                load: nothing, attach: { _ in nothing() }, ask: { _, _ in nothing() }, clear: nothing), modelName: "m")
        var told = plain
        Settings().apply(to: &told)
        #expect(told.options.sampler == SamplerOptions() && told.options.speculation == SpeculationOptions())
        #expect(told.options.maximumTokens == GenerationOptions().maximumTokens && told.options.inspectsNodes)
        #expect(told.theme == plain.theme && told.color == plain.color && told.treeSize == plain.treeSize)
        #expect(told.imageProtocol == plain.imageProtocol && told.rendersMarkdown == plain.rendersMarkdown)
        #expect(told.options.pace == plain.options.pace && told.editor == plain.editor)
        #expect(told.savesConversations == plain.savesConversations && told.keepsImages == plain.keepsImages)
        #expect(told.pictureCacheBytes == plain.pictureCacheBytes)
    }
}
