// FuzzGGUF.swift — libFuzzer's way into the GGUF reader and all that reads through it. Built by Fuzz/run, not by the
// package.

/// Opens the bytes as a model file, or as the files of a model that was split, and asks for everything that the program
/// would ask for.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzGGUF(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let parts = split(bytes)
    use(bytes) { () throws(GGUFError) in try GGUF(FileBytes(copying: bytes), file: "f") }
    if parts.count > 1 {
        use(bytes) { () throws(GGUFError) in
            var files: [GGUF] = []
            for part in parts { files.append(try GGUF(FileBytes(copying: part), file: "f")) }
            return try GGUFSplit(files[0])?.join(files) ?? files[0]
        }
    }
    return 0
}

/// The files that lie behind each other in the bytes, each from its magic number to the next.
private func split(_ bytes: [UInt8]) -> [[UInt8]] {
    let magic = Array("GGUF".utf8)
    let starts = bytes.indices.dropLast(3).filter { bytes[$0..<$0 + 4].elementsEqual(magic) }.prefix(8)
    return zip(starts, starts.dropFirst() + [bytes.count]).map { Array(bytes[$0..<$1]) }
}

private func use(_ bytes: [UInt8], _ open: () throws(GGUFError) -> GGUF) {
    do throws(GGUFError) {
        let file = try open()
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
    for line in description.summary + description.sections.flatMap(\.lines) {
        precondition(isPrintable(line.name) && isPrintable(line.value))
    }
}

private func isPrintable(_ text: String) -> Bool {
    !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
}
