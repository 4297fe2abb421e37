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

    /// Why a draft with this vocabulary cannot speak for a target with the other; absent when it can.
    func difference(from target: Vocabulary) -> String? {
        if pieces.count != target.pieces.count {
            return "its vocabulary has \(pieces.count) tokens and the model's has \(target.pieces.count)"
        }
        guard let id = pieces.indices.first(where: { pieces[$0] != target.pieces[$0] }) else { return nil }
        return "its vocabulary is another one: token \(id) is “\(pieces[id])” and the model's is “\(target.pieces[id])”"
    }
}
