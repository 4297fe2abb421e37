import Foundation
import Testing

/// Reads the sources and refuses a folder that names what it may not. Swift resolves imports per module, so the layers
/// inside `Engine` have no other guard.
@Suite struct `Layering` {
    private struct Rule {
        let folder: String
        /// Words that no file of the folder may contain, and the files that are allowed to.
        let forbidden: [String]
        var except: [String] = []
    }

    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static let chat = [
        "ChatEngine", "Conversation", "GenerationEvent", "LoadedModels", "PromptFeed", "TextRecord", "PictureMemory",
        "RoundGate",
    ]
    private static let speculation = [
        "DraftModelDrafter", "SpeculativeLoop", "Verifier", "TreeGrowth", "TokenChoice", "CostModel",
        "LookupDrafter", "CombinedDrafter",
    ]
    private static let model = ["LanguageModel", "VisionTower", "KVCache", "DecoderLayer", "PromptEmbedding"]
    /// Models at work; their sizes are anyone's.
    private static let running = ["LanguageModel(", "VisionTower(", "KVCache", "DecoderLayer", "PromptEmbedding"]
    private static let files = ["GGUF(", "GGUF)", ": GGUF", "ModelBundle"]
    private static let backends = ["CPUBackend", "ReferenceBackend", "CPUForwardPass"]

    private static let rules = [
        Rule(folder: "Engine/Backend", forbidden: chat + speculation + files + ["LanguageModel(", "VisionTower"]),
        Rule(folder: "Engine/Image", forbidden: chat + speculation + model + files + ["Tokenizer", "StoredTensor"]),
        Rule(
            folder: "Engine/Text", forbidden: chat + speculation + model + files + ["PixelImage", "StoredTensor"]),
        Rule(folder: "Engine/Checkpoint", forbidden: chat + speculation + backends + ["VisionTower(", "KVCache"]),
        Rule(folder: "Engine/Places", forbidden: chat + speculation + backends + running),
        Rule(folder: "Engine/Inspection", forbidden: chat + speculation + backends + running),
        Rule(folder: "Engine/Model", forbidden: chat + speculation + backends + files),
        Rule(folder: "Engine/Speculation", forbidden: chat + files + backends + ["Tokenizer", "ChatTemplate"]),
        Rule(folder: "ChatTUI", forbidden: ["import CTerm"], except: ["Terminal.swift"]),
        Rule(folder: "ChatTUI", forbidden: ["import CSixel"], except: ["SixelEncoder.swift"]),
        Rule(folder: "ChatTUI", forbidden: ["import CKernels", "import COpenBLAS", "import CGdkPixbuf"]),
        Rule(
            folder: "ConversationStore",
            forbidden: backends + ["ChatTUI", "import CTerm", "import CSixel", "import CGdkPixbuf", "import CKernels"]),
        Rule(folder: "Engine", forbidden: ["import GRDB", "import ConversationStore"]),
        Rule(folder: "ChatTUI", forbidden: ["import GRDB"]),
        Rule(folder: "specchat", forbidden: ["import GRDB"]),
        Rule(folder: "specchat", forbidden: ["import CTerm", "import CKernels", "import CSixel", "import COpenBLAS"]),
    ]

    @Test func `no folder names what it may not`() throws {
        for rule in Self.rules {
            let sources = try Self.sources(in: rule.folder)
            #expect(!sources.isEmpty, "\(rule.folder) has no sources: has the house been redrawn?")
            for (name, text) in sources where !rule.except.contains(name) {
                for word in rule.forbidden where text.contains(word) {
                    Issue.record("\(rule.folder)/\(name) names \(word)")
                }
            }
        }
    }

    @Test func `kernels, BLAS and the picture library are called in their own folders only`() throws {
        let places = [
            "import COpenBLAS": ["Engine/Backend/CPU"], "import CGdkPixbuf": ["Engine/Image"],
            "import CKernels": ["Engine/Backend", "Engine/Speculation"], "import CFileGuard": ["Engine/Checkpoint"],
        ]
        for folder in [
            "Engine/Backend", "Engine/Chat", "Engine/Checkpoint", "Engine/Image", "Engine/Inspection", "Engine/Model",
            "Engine/Places", "Engine/Speculation", "Engine/Text",
        ] {
            for (name, text) in try Self.sources(in: folder) {
                for (word, allowed) in places where text.contains(word) {
                    #expect(
                        allowed.contains { folder.hasPrefix($0) || $0.hasPrefix(folder) }, "\(folder)/\(name): \(word)")
                }
            }
        }
    }

    @Test func `every source file says where it stands on the route`() throws {
        for folder in ["Engine", "ConversationStore", "ChatTUI", "specchat"] {
            for (name, text) in try Self.sources(in: folder) {
                #expect(text.hasPrefix("// \(name) — "), "\(folder)/\(name) does not begin with its own line")
            }
        }
    }

    /// Swift files under `Sources/folder`, comments of documentation left out.
    private static func sources(in folder: String) throws -> [(name: String, text: String)] {
        let base = root.appendingPathComponent("Sources/\(folder)")
        let names = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
        return try names.filter { $0.hasSuffix(".swift") }.sorted().map { path in
            let text = try String(contentsOf: base.appendingPathComponent(path), encoding: .utf8)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let code = lines.enumerated().filter { index, line in
                index == 0 || !line.drop(while: { $0 == " " }).hasPrefix("//")
            }
            return ((path as NSString).lastPathComponent, code.map(\.element).joined(separator: "\n"))
        }
    }
}
