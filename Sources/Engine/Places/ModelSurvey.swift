// ModelSurvey.swift — what the models that were found are, and which of them go together. Shown by `specchat models`.

public import Foundation

/// Models with what is known of each, from the headers of their files alone.
public struct ModelSurvey: Sendable {
    /// One model.
    public struct Entry: Sendable, Equatable {
        public let model: StoredModel
        /// Bytes of its weights on disk.
        public let bytes: Int
        /// How its matrices are written, such as "Q4_K"; absent for what cannot be read.
        public let type: String?
        /// Numbers in its matrices.
        public let parameters: Int
        public internal(set) var vision: Vision
        /// Drafts that fit, by reference, the smallest first.
        public internal(set) var drafts: [String] = []
        /// Smaller models that do not fit, and why.
        public internal(set) var unfit: [Unfit] = []
        /// Why it cannot be run; absent where it can.
        public let problem: String?
    }

    public enum Vision: Sendable, Equatable {
        /// It reads text only.
        case none
        /// The tower is in the model's own folder.
        case own
        case file(URL)
        case unfit(URL, reason: String)
    }

    public struct Unfit: Sendable, Equatable {
        public let reference: String
        public let reason: String
    }

    /// In the order in which they were found.
    public private(set) var entries: [Entry] = []

    /// A draft is at most this part of the model that it drafts for: beyond it drafting cannot pay.
    private static let largestDraft = 0.25

    public init(_ models: [StoredModel]) {
        var vocabularies: [Int: Vocabulary] = [:]
        for model in models where !Self.servesPictures(model.model) {
            let index = entries.count
            do {
                let checkpoint = try LanguageCheckpoint(path: model.model.path)
                vocabularies[index] = try checkpoint.vocabulary()
                entries.append(Self.entry(model, checkpoint))
            } catch {
                entries.append(
                    Entry(
                        model: model, bytes: Self.bytes(of: model.model), type: nil, parameters: 0, vision: .none,
                        problem: "\(error)"))
            }
        }
        forgetOthersEyes()
        for target in entries.indices {
            guard let words = vocabularies[target] else { continue }
            let candidates = entries.indices.filter { other in
                let small = Double(entries[target].parameters) * Self.largestDraft
                return other != target && vocabularies[other] != nil && Double(entries[other].parameters) <= small
            }
            for other in candidates.sorted(by: { entries[$0].parameters < entries[$1].parameters }) {
                let reference = entries[other].model.reference
                if let reason = vocabularies[other]?.difference(from: words) {
                    entries[target].unfit.append(Unfit(reference: reference, reason: reason))
                } else {
                    entries[target].drafts.append(reference)
                }
            }
        }
    }

    /// A vision file that fits another model of its folder is that model's, and nothing is wrong with the drafts beside it.
    private mutating func forgetOthersEyes() {
        let fitting = entries.compactMap { entry in if case .file(let file) = entry.vision { file } else { nil } }
        for index in entries.indices {
            if case .unfit(let file, _) = entries[index].vision, fitting.contains(file) {
                entries[index].vision = .none
            }
        }
    }

    /// What other programs list as a model of its own.
    private static func servesPictures(_ file: URL) -> Bool {
        let part = GGUFPart(path: file.path)
        return part == .vision || part == .projector
    }

    private static func entry(_ model: StoredModel, _ checkpoint: LanguageCheckpoint) -> Entry {
        let sizes = checkpoint.configuration
        let attention = sizes.hidden * sizes.headWidth * (2 * sizes.heads + 2 * sizes.keyHeads)
        let heads = (sizes.isOutputTied ? 1 : 2) * sizes.vocabulary * sizes.hidden
        return Entry(
            model: model, bytes: checkpoint.tensors.byteCount,
            type: (try? checkpoint.tensors.tensor(named: "blk.0.attn_q.weight"))?.format.rawValue,
            parameters: heads + sizes.blocks * (attention + 3 * sizes.hidden * sizes.feedForward),
            vision: vision(of: model, hidden: sizes.hidden), problem: nil)
    }

    private static func vision(of model: StoredModel, hidden: Int) -> Vision {
        do {
            if let file = model.vision {
                let outputs = try VisionCheckpoint(path: file.path).configuration.projector.outputs
                guard outputs == hidden else {
                    return .unfit(
                        file, reason: "it projects to \(outputs) numbers a token and the model reads \(hidden)")
                }
                return .file(file)
            }
            let bundle = try? ModelBundle.open(
                model: model.model.path, mmproj: nil, draft: "none", draftProjector: nil)
            guard let own = bundle?.vision else { return .none }
            _ = try VisionCheckpoint(path: own.path, language: model.model.path)
            return .own
        } catch {
            return .unfit(model.vision ?? model.model, reason: "\(error)")
        }
    }

    /// Bytes of a file, or of a folder's weights.
    private static func bytes(of url: URL) -> Int {
        func size(_ path: String) -> Int {
            // Caches hold links to the files proper.
            let real = URL(filePath: path).resolvingSymlinksInPath().path
            return ((try? FileManager.default.attributesOfItem(atPath: real))?[.size] as? Int) ?? 0
        }
        guard HuggingFaceFolder.isOne(url.path) else { return size(url.path) }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        return names.filter { $0.hasSuffix(".safetensors") }.reduce(0) { $0 + size(url.path + "/" + $1) }
    }
}
