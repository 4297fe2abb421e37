// SentencePieceModel.swift — the file tokenizer.model: pieces with their scores, and how text is to be normalised.
// Turned into a Vocabulary by SentencePieceVocabulary.

/// What a SentencePiece model file says. Every field that it leaves out has SentencePiece's default.
struct SentencePieceModel: Sendable, Equatable {
    struct Piece: Sendable, Equatable {
        var text = ""
        var score: Float = 0
        var kind = Vocabulary.Kind.normal
    }

    /// How it cuts text; the codes are SentencePiece's.
    enum Algorithm: UInt64, Sendable, Equatable {
        case unigram = 1
        case bytePairs, words, characters
    }

    var pieces: [Piece] = []
    var algorithm = Algorithm.unigram
    var hasByteFallback = false
    var putsSpacesAfterWords = false
    var beginning = "<s>"
    var end = "</s>"
    /// The name of its rule, for messages.
    var normalisation = ""
    /// Characters are replaced by a table.
    var replacesCharacters = false
    var addsDummyPrefix = true
    var removesExtraSpaces = true
    var escapesSpaces = true

    /// - Parameter file: the path, for messages.
    init(_ bytes: [UInt8], file: String) throws(TokenizerFileError) {
        do throws(Fault) {
            try read(bytes)
        } catch {
            throw TokenizerFileError(file: file, error.fault)
        }
        // A file that is something else can be a message by chance; a model has pieces, and one that is unknown.
        guard pieces.contains(where: { $0.kind == .unknown }) else {
            throw TokenizerFileError(file: file, .notSentencePiece)
        }
    }

    /// The fault alone; the file's name comes to it where the reading began.
    private struct Fault: Error {
        let fault: TokenizerFileError.Fault
    }

    private mutating func read(_ bytes: [UInt8]) throws(Fault) {
        try Self.fields(of: bytes[...]) { number, value throws(Fault) in
            guard case .bytes(let message) = value else { return }
            switch number {
            case 1: pieces.append(try Self.piece(message, id: pieces.count))
            case 2: try readTrainer(message)
            case 3: try readNormaliser(message)
            default: break
            }
        }
    }

    private static func fields(
        of message: ArraySlice<UInt8>, _ body: (UInt64, ProtobufFields.Value) throws(Fault) -> Void
    ) throws(Fault) {
        var fields = ProtobufFields(message)
        while true {
            let field: (number: UInt64, value: ProtobufFields.Value)?
            do throws(ProtobufFields.Damage) {
                field = try fields.next()
            } catch {
                throw Fault(fault: .damaged(offset: error.offset))
            }
            guard let field else { return }
            try body(field.number, field.value)
        }
    }

    private static func piece(_ message: ArraySlice<UInt8>, id: Int) throws(Fault) -> Piece {
        var piece = Piece()
        try fields(of: message) { number, value throws(Fault) in
            switch (number, value) {
            case (1, .bytes(let bytes)):
                guard let text = String(validating: bytes, as: UTF8.self) else {
                    throw Fault(fault: .badVocabulary("piece \(id) is not UTF-8"))
                }
                piece.text = text
            case (2, .fixed(let bits)): piece.score = Float(bitPattern: UInt32(truncatingIfNeeded: bits))
            case (3, .integer(let code)):
                guard let kind = Int(exactly: code).flatMap(Vocabulary.Kind.init) else {
                    throw Fault(fault: .badVocabulary("the kind of piece \(id) is \(code)"))
                }
                piece.kind = kind
            default: break
            }
        }
        return piece
    }

    private mutating func readTrainer(_ message: ArraySlice<UInt8>) throws(Fault) {
        try Self.fields(of: message) { number, value throws(Fault) in
            switch (number, value) {
            case (3, .integer(let code)):
                guard let named = Algorithm(rawValue: code) else {
                    throw Fault(fault: .foreign("a SentencePiece model of an unknown kind (\(code))"))
                }
                algorithm = named
            case (24, .integer(let flag)): putsSpacesAfterWords = flag != 0
            case (35, .integer(let flag)): hasByteFallback = flag != 0
            case (46, .bytes(let name)): beginning = String(decoding: name, as: UTF8.self)
            case (47, .bytes(let name)): end = String(decoding: name, as: UTF8.self)
            default: break
            }
        }
    }

    private mutating func readNormaliser(_ message: ArraySlice<UInt8>) throws(Fault) {
        try Self.fields(of: message) { number, value throws(Fault) in
            switch (number, value) {
            case (1, .bytes(let name)): normalisation = String(decoding: name, as: UTF8.self)
            case (2, .bytes(let table)): replacesCharacters = !table.isEmpty
            case (3, .integer(let flag)): addsDummyPrefix = flag != 0
            case (4, .integer(let flag)): removesExtraSpaces = flag != 0
            case (5, .integer(let flag)): escapesSpaces = flag != 0
            default: break
            }
        }
    }
}
