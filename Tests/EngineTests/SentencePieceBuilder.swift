// SentencePieceBuilder.swift — writes small tokenizer.model files for the tests of their readers, right ones and wrong ones.

@testable import Engine

/// A protocol buffers message, written field by field.
struct ProtobufMessage {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ field: Int, _ value: Int) { bytes += Self.number(field << 3) + Self.number(value) }
    mutating func add(_ field: Int, _ text: String) { add(field, Array(text.utf8)) }
    mutating func add(_ field: Int, _ message: [UInt8]) {
        bytes += Self.number(field << 3 | 2) + Self.number(message.count) + message
    }
    mutating func add(_ field: Int, score: Float) {
        bytes += Self.number(field << 3 | 5)
        bytes += withUnsafeBytes(of: score.bitPattern.littleEndian) { Array($0) }
    }

    static func number(_ value: Int) -> [UInt8] {
        var (rest, bytes) = (UInt64(value), [UInt8]())
        repeat {
            bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return bytes
    }
}

/// A model with `<unk>`, `<s>`, `</s>` and "▁", changed by `change` in its trainer's and its normaliser's settings.
func sentencePieceModel(
    pieces extra: [(String, Float, Int)] = [],
    change: (inout ProtobufMessage, inout ProtobufMessage) -> Void = { _, _ in }
) -> [UInt8] {
    var model = ProtobufMessage()
    for (text, score, kind) in [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3), ("▁", -1, 1)] + extra {
        var piece = ProtobufMessage()
        piece.add(1, text)
        piece.add(2, score: score)
        piece.add(3, kind)
        model.add(1, piece.bytes)
    }
    var (trainer, normaliser) = (ProtobufMessage(), ProtobufMessage())
    trainer.add(3, 2)
    normaliser.add(4, 0)
    change(&trainer, &normaliser)
    model.add(2, trainer.bytes)
    model.add(3, normaliser.bytes)
    return model.bytes
}
