// FuzzGGUF.swift — libFuzzer's way into the GGUF reader and all that reads through it. Built by Fuzz/run, not by the
// package.

/// Opens the bytes as a model file and asks for everything that the program would ask for.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzGGUF(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    do throws(GGUFError) {
        let file = try GGUF(FileBytes(copying: bytes), file: "f")
        checkLines(of: CheckpointDescription(file))
        for tensor in file.tensors where tensor.type.format != nil {
            let stored = try file.tensor(named: tensor.name)
            // AddressSanitizer sees a tensor that reaches past the file when its ends are read.
            precondition(stored.bytes.first != nil && stored.bytes.last != nil)
        }
        attempt { () throws(GGUFError) in _ = try LanguageModelConfiguration(file) }
        attempt { () throws(GGUFError) in _ = try VisionConfiguration(file) }
        attempt { () throws(GGUFError) in _ = try ProjectorConfiguration(file) }
        attempt { () throws(GGUFError) in try tokenize(bytes, with: Vocabulary(file)) }
    } catch {
        check(error)
    }
    return 0
}

private func attempt(_ work: () throws(GGUFError) -> Void) {
    do throws(GGUFError) { try work() } catch { check(error) }
}

/// The end of the input is a text too: it must survive any vocabulary.
private func tokenize(_ bytes: [UInt8], with vocabulary: Vocabulary) {
    let tokenizer = Tokenizer(vocabulary)
    let text = String(decoding: bytes.suffix(256), as: UTF8.self)
    for parsingControl in [false, true] {
        let tokens = tokenizer.encode(text, parsingControl: parsingControl)
        precondition(tokens.allSatisfy { vocabulary.pieces.indices.contains(Int($0)) })
        _ = tokenizer.decode(tokens)
    }
}

/// A message is one line without control characters, of a bearable length.
private func check(_ error: GGUFError) {
    let message = error.description
    precondition(message.count < 2_000 && isPrintable(message))
}

private func checkLines(of description: CheckpointDescription) {
    for line in description.summary + description.keys + description.tensors {
        precondition(isPrintable(line.name) && isPrintable(line.value))
    }
}

private func isPrintable(_ text: String) -> Bool {
    !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
}
