// PieceTable.swift — the pieces of tokens that were asked for, kept: rounds name the same few tokens again and again.

/// Gives a token's piece, made once.
final class PieceTable {
    private let tokenizer: Tokenizer
    /// By token; absent until asked for.
    private var pieces: [TokenPiece?]

    init(_ tokenizer: Tokenizer) {
        self.tokenizer = tokenizer
        pieces = Array(repeating: nil, count: tokenizer.vocabulary.pieces.count)
    }

    func piece(for token: Int32) -> TokenPiece {
        guard pieces.indices.contains(Int(token)) else { return tokenizer.piece(for: token) }
        if let known = pieces[Int(token)] { return known }
        let piece = tokenizer.piece(for: token)
        pieces[Int(token)] = piece
        return piece
    }
}
