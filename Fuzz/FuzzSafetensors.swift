// FuzzSafetensors.swift — libFuzzer's way into the safetensors reader. Built by Fuzz/run, not by the package.

/// Opens the bytes as a safetensors file and touches both ends of every tensor.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSafetensors(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    do throws(HuggingFaceError) {
        let file = try SafetensorsFile(FileBytes(copying: bytes), path: "f")
        _ = file.identity()
        for tensor in file.tensors where ["F32", "F16", "BF16"].contains(tensor.type) {
            let columns = tensor.shape.last ?? 1
            guard columns > 0 else { continue }
            let rows = tensor.shape.reduce(1, *) / columns
            let stored = try file.stored(tensor, as: tensor.name, rows: rows, columns: columns)
            // AddressSanitizer sees a tensor that reaches past the file when its ends are read.
            precondition(rows == 0 || (stored.bytes.first != nil && stored.bytes.last != nil))
        }
    } catch {
        check(error.description)
    }
    return 0
}

/// A message is one line without control characters, of a bearable length.
private func check(_ message: String) {
    precondition(message.count < 2_000)
    precondition(!message.unicodeScalars.contains { $0.properties.generalCategory == .control })
}
