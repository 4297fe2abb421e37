import Foundation
import Testing

@testable import Engine

@Suite struct `Lookup text` {
    /// The rule spelt out: every earlier place whose end agrees, by brute force.
    private static func matches(_ text: [Int32], endingIn token: Int32, count: Int) -> [LookupText.Match] {
        let end = text + [token]
        func agreement(_ place: Int) -> Int {
            var length = 0
            while length < LookupText.longestMatch, place - length >= 0, text[place - length] >= 0,
                text[place - length] == end[end.count - 1 - length], place - length < end.count - 1 - length
            { length += 1 }
            return length
        }
        let found = text.indices.dropLast().filter { text[$0 + 1] >= 0 }
            .map { LookupText.Match(next: $0 + 1, length: agreement($0)) }
        let least = found.contains { $0.length >= 2 } ? 2 : 1
        return Array(
            found.filter { $0.length >= least }.sorted { ($0.length, $0.next) > ($1.length, $1.next) }.prefix(count))
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `finds what a search through everything finds, also after the end was cut off`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var text = LookupText()
        var plain: [Int32] = []
        for _ in 0..<60 {
            if Int.random(in: 0..<8, using: &random) == 0 {
                let length = Int.random(in: 0...plain.count, using: &random)
                text.truncate(to: length)
                plain.removeSubrange(length...)
            } else {
                let token = Int32.random(in: -1...3, using: &random)
                text.append(token)
                plain.append(token)
            }
            #expect(text.tokens == plain)
            for token in Int32(0)...3 {
                #expect(
                    text.matches(endingIn: token, count: 5) == Self.matches(plain, endingIn: token, count: 5))
            }
        }
    }
}

@Suite struct `Lookup drafter` {
    private static func request(_ root: Int32, limit: Int = 100) -> DraftRequest {
        DraftRequest(
            root: root, choice: TokenChoice(options: SamplerOptions()), position: 0, seen: SeenTokens(settled: []),
            limit: limit)
    }

    private static func growth(nodes: Int? = nil, policy: SpeculationPolicy = .dynamic) -> TreeGrowth {
        var options = SpeculationOptions()
        (options.nodes, options.policy) = (nodes, policy)
        return TreeGrowth(options: options, costs: CostModel(), nodeLimit: 64)
    }

    private static func paths(_ drafter: LookupDrafter, after root: Int32, limit: Int = 100) -> Set<[Int32]> {
        var growth = growth()
        drafter.propose(request(root, limit: limit), into: &growth)
        let tree = growth.tree(below: root).tree
        let parents = Set(tree.nodes.compactMap(\.parent))
        return Set(
            tree.nodes.indices.filter { !parents.contains($0) }.map { leaf in
                tree.path(to: leaf).dropFirst().map { tree.nodes[$0].token }
            })
    }

    @Test func `goes on as the same words went on before, in every way that they did`() {
        let drafter = LookupDrafter(stopTokens: [2])
        drafter.append([5, 6, 7, 8, 2, 5, 6, 9, 10, 2, 4, 5])
        #expect(Self.paths(drafter, after: 6) == [[7, 8], [9, 10]])
        #expect(Self.paths(drafter, after: 3) == [[]])
    }

    @Test func `never proposes a stop token, nor more than may follow`() {
        let drafter = LookupDrafter(stopTokens: [2])
        drafter.append([5, 6, 7, 2, 8, 9, 5])
        #expect(Self.paths(drafter, after: 6) == [[7]])
        drafter.append([6, 11, 12, 13, 14, 5])
        #expect(Self.paths(drafter, after: 6, limit: 3) == [[11, 12], [7]])
    }

    @Test func `a picture goes on with nothing, and is cut off with what follows it`() throws {
        let drafter = LookupDrafter(stopTokens: [2])
        drafter.begin(with: DraftOpening(tokens: [5, 6], pictureRows: 4, features: nil, numbers: nil))
        drafter.append([7, 8, 5])
        #expect(Self.paths(drafter, after: 6) == [[]])
        drafter.truncate(toTokens: 3, pictureRows: 4)
        drafter.append([5])
        // The 7 is still there, the 8 is not.
        #expect(Self.paths(drafter, after: 7) == [[5]])
        drafter.truncate(toTokens: 2, pictureRows: 0)
        drafter.append([9, 5])
        #expect(Self.paths(drafter, after: 6) == [[9, 5]])
    }

    @Test func `earlier answers stay when the text is forgotten`() {
        let drafter = LookupDrafter(stopTokens: [2], earlier: [[20, 21, 22, 2]])
        drafter.append([5, 6, 7, 5])
        drafter.clear()
        drafter.append([20])
        #expect(Self.paths(drafter, after: 21) == [[22]])
        #expect(Self.paths(drafter, after: 6) == [[]])
        drafter.truncate(toTokens: 0, pictureRows: 0)
        drafter.append([20])
        #expect(Self.paths(drafter, after: 21) == [[22]])
        drafter.clear(earlier: [])
        drafter.append([20])
        #expect(Self.paths(drafter, after: 21) == [[]])
    }

    @Test func `a chain has one path whoever proposes`() {
        var growth = Self.growth(nodes: 6, policy: .chain)
        let drafter = LookupDrafter(stopTokens: [2])
        drafter.append([5, 6, 7, 8, 9, 5])
        drafter.propose(Self.request(6), into: &growth)
        growth.add([.init(token: 30, confidence: 0.99)], below: nil, stopTokens: [])
        growth.add([.init(token: 31, confidence: 0.99)], below: growth.candidates.count - 1, stopTokens: [])
        let tree = growth.tree(below: 6).tree
        #expect(tree.nodes.map(\.token) == [6, 30, 31])
        #expect(tree.depth == tree.count - 1)
    }

    @Test func `what both propose is one node, and believed more than what the model gainsays`() throws {
        var growth = Self.growth(nodes: 8)
        let drafter = LookupDrafter(stopTokens: [2])
        drafter.append([5, 6, 7, 2, 5, 6, 8, 2, 5])
        drafter.propose(Self.request(6), into: &growth)
        let before = Dictionary(uniqueKeysWithValues: growth.candidates.map { ($0.token, $0.score) })
        growth.add([.init(token: 7, confidence: 0.2), .init(token: 9, confidence: 0.2)], below: nil, stopTokens: [])
        let after = Dictionary(uniqueKeysWithValues: growth.candidates.map { ($0.token, $0) })
        #expect(growth.candidates.count == 3)
        #expect(after[7]?.source == .both && after[8]?.source == .lookup && after[9]?.source == .model)
        #expect(try #require(after[7]).score > #require(before[7]))
        #expect(try #require(after[8]).score < #require(before[8]))
    }

    @Test func `acceptance is learned by length of the match, from candidates that nobody verified too`() {
        let costs = CostModel()
        let short = LookupEvidence(length: 2, support: .single)
        let long = LookupEvidence(length: 9, support: .single)
        let prior = costs.lookups.acceptance(short)
        #expect(prior < costs.lookups.acceptance(long))
        for _ in 0..<50 {
            var growth = TreeGrowth(options: SpeculationOptions(), costs: costs, nodeLimit: 64)
            _ = growth.add(found: 7, evidence: short, below: nil)
            growth.learn(from: [7, 8])
        }
        #expect(costs.lookups.acceptance(short) > 0.9)
        #expect(costs.lookups.acceptance(long) == CostModel().lookups.acceptance(long))
    }
}

@Suite struct `Drafting with lookups` {
    private static func options(_ policy: SpeculationPolicy, nodes: Int?) -> SpeculationOptions {
        var options = SpeculationOptions()
        (options.policy, options.nodes) = (policy, nodes)
        return options
    }

    /// Tokens of an answer, and its rounds.
    private static func decode(
        _ model: LanguageModel, prompt: [Int32], drafters: [any Drafter], costs: CostModel,
        _ speculation: SpeculationOptions, temperature: Float
    ) throws -> (tokens: [Int32], rounds: [SpeculationRound]) {
        let cache = model.makeCache(capacity: 200)
        let drafter: (any Drafter)? = drafters.isEmpty ? nil : CombinedDrafter(drafters)
        let feed = PromptFeed(target: model, cache: cache, drafter: drafter)
        feed.append(.tokens(prompt))
        try feed.read(holdingBack: 1) { _, _ in }
        var sampler = SamplerOptions()
        (sampler.temperature, sampler.seed) = (temperature, 5)
        var loop = SpeculativeLoop(
            verifier: Verifier(target: model, choice: TokenChoice(options: sampler), stopTokens: [2]), cache: cache,
            drafter: drafter, options: speculation, costs: costs, pending: feed.takeHeldBack()[0], position: 0,
            settled: Set(prompt), piece: { _ in TokenPiece(bytes: [], isControl: false) })
        var tokens: [Int32] = []
        var rounds: [SpeculationRound] = []
        while tokens.count < 80, tokens.last != 2, cache.free > 0 {
            let round = try loop.next(limit: min(80 - tokens.count, cache.free))
            #expect(round.isSound)
            tokens += round.tokens
            rounds.append(round)
        }
        return (tokens, rounds)
    }

    @Test(
        arguments: [(.chain, 5), (.dynamic, 1), (.dynamic, 8), (.dynamic, 32), (.dynamic, nil)]
            as [(SpeculationPolicy, Int?)], [0, 0.8] as [Float])
    func `the tokens are those of plain decoding, with lookups alone and beside a draft model`(
        shape: (policy: SpeculationPolicy, nodes: Int?), temperature: Float
    ) throws {
        let golden = try Golden("grouped")
        let backend = try CPUBackend(threads: 2)
        let model = try LanguageModel(LanguageCheckpoint(path: golden.path("language.gguf")), backend: backend)
        let other = try LanguageModel(LanguageCheckpoint(path: Golden("tied").path("language.gguf")), backend: backend)
        let prompt = golden.text.idsBefore
        let plain = try Self.decode(
            model, prompt: prompt, drafters: [], costs: CostModel(), Self.options(.off, nodes: nil),
            temperature: temperature)
        // An earlier answer that is right, so that there is something to accept, and one that leads astray.
        let earlier = [plain.tokens.reversed(), plain.tokens.filter { $0 != 2 }]
        for withModel in [false, true] {
            let costs = CostModel()
            let lookup = LookupDrafter(stopTokens: [2], earlier: earlier)
            let draft = DraftModelDrafter(
                name: "draft", model: other, projector: nil, stopTokens: [2], costs: costs, capacity: 200)
            let fast = try Self.decode(
                model, prompt: prompt, drafters: withModel ? [lookup, draft] : [lookup], costs: costs,
                Self.options(shape.policy, nodes: shape.nodes), temperature: temperature)
            #expect(fast.tokens == plain.tokens)
            if let nodes = shape.nodes { #expect(fast.rounds.allSatisfy { $0.tree.count <= nodes }) }
            if shape.policy == .chain { #expect(fast.rounds.allSatisfy { $0.tree.depth == $0.tree.count - 1 }) }
            if (shape.nodes ?? 0) >= 8 {
                #expect(
                    fast.rounds.contains { round in
                        round.accepted.contains { [.lookup, .both].contains(round.tree.nodes[$0].source) }
                    })
            }
        }
    }

    @Test func `a draft model that missed much goes on after a gap, and the text may be cut anywhere`() throws {
        let golden = try Golden("grouped")
        let model = try LanguageModel(
            LanguageCheckpoint(path: golden.path("language.gguf")), backend: CPUBackend(threads: 2))
        let draft = DraftModelDrafter(
            name: "draft", model: model, projector: nil, stopTokens: [2], costs: CostModel(), capacity: 400)
        func propose() throws {
            var options = SpeculationOptions()
            options.nodes = 4
            var growth = TreeGrowth(options: options, costs: CostModel(), nodeLimit: 64)
            try draft.propose(
                DraftRequest(
                    root: 9, choice: TokenChoice(options: SamplerOptions()), position: 0,
                    seen: SeenTokens(settled: []), limit: 50), into: &growth)
            let (tree, origins, _) = growth.tree(below: 9)
            draft.observe(DraftOutcome(tree: tree, origins: origins, accepted: []))
        }
        draft.append([Int32](repeating: 7, count: 10))
        try propose()
        #expect(draft.settledCache(atLeast: 11) != nil && draft.settledCache(atLeast: 12) == nil)
        draft.append((0..<150).map { Int32(3 + $0 % 50) })
        try propose()
        // Of 11 and 150 rows and the root, some in the middle were never read.
        #expect(draft.settledCache(atLeast: 11) != nil && draft.settledCache(atLeast: 162) == nil)
        for length in [160, 140, 60, 11, 5] {
            draft.truncate(toTokens: length, pictureRows: 0)
            try propose()
            draft.truncate(toTokens: length, pictureRows: 0)
        }
        #expect(draft.settledCache(atLeast: 5) != nil && draft.settledCache(atLeast: 6) == nil)
    }

    @Test(arguments: [0.3, 1] as [Double])
    func `a hopeless draft costs at most three hundredths in the long run`(dearness: Double) {
        let costs = CostModel()
        costs.calibrate(.verify, rows: 1, seconds: 1)
        var spent = 0.0
        let rounds = 3000
        for _ in 0..<rounds {
            let drafts = costs.shouldDraft()
            spent += 1 + (drafts ? dearness : 0)
            costs.record(
                CostModel.RoundAccount(
                    tokens: 1, modelTokens: 1, nodes: 1, modelNodes: 1, drafted: drafts ? dearness : nil))
        }
        #expect(Double(rounds) / spent >= 0.97)
        #expect(spent > Double(rounds))
    }
}

@Suite struct `Vocabularies of drafts` {
    private static func vocabulary(_ pieces: [String]) -> Vocabulary {
        Vocabulary(
            pieces: pieces, scores: pieces.map { _ in 0 }, kinds: pieces.map { _ in .normal }, beginning: nil, end: nil,
            unknown: nil, stops: [], addsDummyPrefix: false, addsBeginning: false)
    }

    @Test func `a draft fits whose pieces are the model's, with a few more or fewer at the end`() {
        let base = (0..<32_000).map { "p\($0)" }
        let short = Self.vocabulary(base)
        let long = Self.vocabulary(base + (0..<64).map { "<added \($0)>" })
        #expect(short.difference(from: long) == nil && long.difference(from: short) == nil)
        var other = base
        other[700] = "x"
        #expect(
            Self.vocabulary(other).difference(from: long)
                == "its vocabulary is another one: token 700 is “x” and the model's is “p700”")
        #expect(
            Self.vocabulary(Array(base.prefix(16_000))).difference(from: short)
                == "its vocabulary has 16000 tokens and the model's has 32000")
    }

    @Test(arguments: [40, 60, 900])
    func `a draft never proposes what the target does not have, and reads what it does not have itself`(
        targetVocabulary: Int
    ) throws {
        let model = try LanguageModel(
            LanguageCheckpoint(path: Golden("grouped").path("language.gguf")), backend: CPUBackend(threads: 1))
        let draft = DraftModelDrafter(
            name: "draft", model: model, projector: nil, stopTokens: [], costs: CostModel(), capacity: 100,
            targetVocabulary: targetVocabulary)
        let beyond = Int32(model.configuration.vocabulary) + 5
        draft.append([5, beyond, 7])
        for temperature in [0, 2] as [Float] {
            var options = SpeculationOptions()
            (options.nodes, options.confidence) = (24, 1)
            var growth = TreeGrowth(options: options, costs: CostModel(), nodeLimit: 64)
            var sampler = SamplerOptions()
            sampler.temperature = temperature
            try draft.propose(
                DraftRequest(
                    root: beyond, choice: TokenChoice(options: sampler), position: 0, seen: SeenTokens(settled: []),
                    limit: 50), into: &growth)
            #expect(growth.candidates.count > 8)
            #expect(growth.candidates.allSatisfy { (0..<Int32(targetVocabulary)).contains($0.token) })
            let (tree, origins, _) = growth.tree(below: beyond)
            draft.observe(DraftOutcome(tree: tree, origins: origins, accepted: []))
        }
    }
}

@Suite struct `Answer store` {
    private static let model = SHA256Digest(of: [1])

    private static func withFolder(_ body: (AnswerStoreOptions) throws -> Void) rethrows {
        let folder = FileManager.default.temporaryDirectory.appending(path: "specchat-answers-\(UUID().uuidString)")
        defer {
            chmod(folder.path, 0o700)
            try? FileManager.default.removeItem(at: folder)
        }
        try body(AnswerStoreOptions(folder: folder))
    }

    private static func open(_ options: AnswerStoreOptions, model: SHA256Digest = model) -> AnswerStore {
        AnswerStore(options, model: model, vocabulary: 100)
    }

    private static func file(_ options: AnswerStoreOptions) -> String {
        options.folder.appending(path: model.hexadecimal + AnswerStore.ending).path
    }

    @Test func `keeps answers in their order, each once, for its own model`() {
        Self.withFolder { options in
            let store = Self.open(options)
            for answer in [[1, 2, 3], [4, 5, 6, 7], [1, 2, 3], [8, 9]] as [[Int32]] {
                #expect(store.keep(answer) == nil)
            }
            #expect(Self.open(options).answers == [[4, 5, 6, 7], [1, 2, 3]])
            #expect(Self.open(options, model: SHA256Digest(of: [2])).answers.isEmpty)
        }
    }

    @Test func `what two programs keep is all there`() {
        Self.withFolder { options in
            let (one, other) = (Self.open(options), Self.open(options))
            #expect(one.keep([1, 2, 3]) == nil && other.keep([4, 5, 6]) == nil)
            #expect(Self.open(options).answers == [[1, 2, 3], [4, 5, 6]])
        }
    }

    @Test func `forgets the oldest first, and never takes more than its bound`() {
        Self.withFolder { options in
            var options = options
            options.tokenLimit = 100
            let store = Self.open(options)
            for number in Int32(0)..<40 { #expect(store.keep([number, 1, 2, 3, 4, 5, 6, 7]) == nil) }
            #expect(store.answers.map { $0[0] } == Array(28..<40))
            #expect(Self.open(options).answers == store.answers)
            #expect(store.keep([Int32](repeating: 9, count: 101)) == nil)
            #expect(Self.open(options).answers.isEmpty)
        }
    }

    @Test func `is for the user's eyes alone, and goes when asked`() throws {
        try Self.withFolder { options in
            #expect(Self.open(options).keep([1, 2, 3]) == nil)
            func mode(_ path: String) throws -> Int {
                try #require(
                    FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
            }
            let modes = try [Self.file(options), options.folder.path].map(mode)
            #expect(modes == [0o600, 0o700])
            #expect(options.deleteAll().deleted == 1)
            #expect(Self.open(options).answers.isEmpty)
        }
    }

    @Test func `a file with any byte changed, cut or added counts as none, and is written anew`() throws {
        try Self.withFolder { options in
            #expect(Self.open(options).keep([1, 2, 3]) == nil)
            let url = URL(filePath: Self.file(options))
            let whole = try Data(contentsOf: url)
            var broken = whole.indices.map { index in
                var data = whole
                data[index] ^= 0x20
                return data
            }
            broken += [Data(), whole.prefix(40), whole.dropLast(), whole + [0], Data(count: 500)]
            for data in broken {
                try data.write(to: url)
                #expect(Self.open(options).answers.isEmpty)
            }
            let store = Self.open(options)
            #expect(store.keep([4, 5, 6]) == nil)
            #expect(Self.open(options).answers == [[4, 5, 6]])
        }
    }

    @Test func `neither a link nor a pipe in its place is followed, and a full disk is told once`() throws {
        try Self.withFolder { options in
            try FileManager.default.createDirectory(at: options.folder, withIntermediateDirectories: true)
            let other = options.folder.appending(path: "other").path
            #expect(Self.open(options).keep([1, 2, 3]) == nil)
            try FileManager.default.moveItem(atPath: Self.file(options), toPath: other)
            try FileManager.default.createSymbolicLink(atPath: Self.file(options), withDestinationPath: other)
            #expect(Self.open(options).answers.isEmpty)
            unlink(Self.file(options))
            #expect(mkfifo(Self.file(options), 0o600) == 0)
            #expect(Self.open(options).answers.isEmpty)
            let blocked = AnswerStoreOptions(folder: URL(filePath: other).appending(path: "below"))
            let store = Self.open(blocked)
            #expect(store.keep([1, 2, 3])?.contains("cannot make the folder") == true)
            #expect(store.keep([1, 2, 4]) == nil)
        }
    }
}
