// Vocabulary.swift — the pieces that text is cut into. Made by Checkpoint from a file, given to Tokenizer.

/// A vocabulary of LLaMA's kind: what each token id stands for, and how text becomes such tokens. Position in the lists
/// is the id.
struct Vocabulary: Sendable, Equatable {
    /// What a piece is for; the codes are SentencePiece's.
    enum Kind: Int, Sendable, Equatable {
        case normal = 1
        case unknown, control, userDefined, unused, byte
    }

    /// A space is written as "▁" in normal pieces; a byte is named "<0xHH>".
    var pieces: [String]
    /// The pair whose piece has the highest score is merged first, where there are no `merges`.
    var scores: [Float]
    var kinds: [Kind]
    /// `<s>`, which a text begins with.
    var beginning: Int32?
    /// `</s>`, which ends an answer.
    var end: Int32?
    /// `<unk>`, for characters that neither a piece nor bytes can spell.
    var unknown: Int32?
    /// Every token that ends an answer, `end` among them.
    var stops: Set<Int32>
    /// What becomes of a text before it is merged.
    var normalisation: Normalisation
    /// The model was trained with `beginning` at the start of every text.
    var addsBeginning: Bool
    /// Pairs in the order in which they are merged (Hugging Face's `tokenizers`); absent: by `scores` (SentencePiece).
    var merges: MergeRanks?
    /// Tokens that are found in a text before it is merged, besides those whose kind says so; by their ids.
    var added: [AddedToken] = []

    /// Why a draft with this vocabulary cannot speak for a target with the other; absent when it can.
    ///
    /// One may go on where the other ends: LLaVA adds `<image>` and padding to the 32,000 pieces of the language model that
    /// its drafts were trained with. So many that the shorter one is mostly another thing are a mistake.
    func difference(from target: Vocabulary) -> String? {
        let shared = min(pieces.count, target.pieces.count)
        if max(pieces.count, target.pieces.count) - shared > max(shared / 100, 1) {
            return "its vocabulary has \(pieces.count) tokens and the model's has \(target.pieces.count)"
        }
        guard let id = (0..<shared).first(where: { pieces[$0] != target.pieces[$0] }) else { return nil }
        return "its vocabulary is another one: token \(id) is “\(pieces[id])” and the model's is “\(target.pieces[id])”"
    }

    /// Names under which chat models end an answer.
    static let stopNames: Set = [
        "</s>", "<|im_end|>", "<|end|>", "<|eot_id|>", "<|endoftext|>", "<end_of_turn>",
    ]

    /// Names that only a template may write: a user's text that spells one stays text, whatever kind a file gives it.
    static let markNames: Set = stopNames.union(["<|im_start|>", "[INST]", "[/INST]", "<s>"])
}

extension Vocabulary {
    /// SentencePiece's normalisation, merging by score.
    init(
        pieces: [String], scores: [Float], kinds: [Kind], beginning: Int32?, end: Int32?, unknown: Int32?,
        stops: Set<Int32>, addsDummyPrefix: Bool, addsBeginning: Bool
    ) {
        self.init(
            pieces: pieces, scores: scores, kinds: kinds, beginning: beginning, end: end, unknown: unknown,
            stops: stops, normalisation: Normalisation(prefix: addsDummyPrefix ? .everySegment : .never),
            addsBeginning: addsBeginning)
    }

    /// A space is put before a text, so that its first word is cut as any other. Setting it leaves out the spaces that
    /// would stand after added tokens only where none stands before a text either.
    var addsDummyPrefix: Bool {
        get {
            guard normalisation.prefix == .never else { return true }
            return normalisation.words.map { $0.prefix != .never } ?? false
        }
        set { normalisation.prefix = newValue ? .everySegment : .never }
    }
}

/// A token that is found in a text before it is merged, as `tokenizers` declares it.
struct AddedToken: Sendable, Equatable {
    var id: Int32
    /// What it looks like in a text, or in the normalised text.
    var content: String
    /// Found in the normalised text rather than in the text itself.
    var isNormalised = false
    /// Only between characters that are not part of a word.
    var isSingleWord = false
    /// It takes the space before it along.
    var stripsLeft = false
    /// It takes the space after it along.
    var stripsRight = false
}
