// Vocabulary.swift — the pieces that text is cut into. Made by Checkpoint from a file, given to Tokenizer.

/// A SentencePiece vocabulary: what each token id stands for. Position in the lists is the id.
struct Vocabulary: Sendable, Equatable {
    /// What a piece is for; the codes are SentencePiece's.
    enum Kind: Int, Sendable, Equatable {
        case normal = 1
        case unknown, control, userDefined, unused, byte
    }

    /// A space is written as "▁" in normal pieces; a byte is named "<0xHH>".
    var pieces: [String]
    /// The pair whose piece has the highest score is merged first.
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
    /// A space is put before a text, so that its first word is cut as any other.
    var addsDummyPrefix: Bool
    /// The model was trained with `beginning` at the start of every text.
    var addsBeginning: Bool
}
