// FuzzFolder.swift — libFuzzer's way into config.json, with the tensors of a small LLaVA beside it. Built by Fuzz/run, not
// by the package.

nonisolated(unsafe) private var weights: SafetensorsFile?

/// Reads the bytes as config.json, and asks it for every model that it could describe.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFolder(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    attempt { () throws(HuggingFaceError) in
        if weights == nil { weights = try SafetensorsFile(path: "Fuzz/safetensors-corpus/llava.safetensors") }
        guard let shard = weights else { return }
        let configuration = try HuggingFaceConfiguration(bytes, path: "c")
        let folder = try HuggingFaceFolder(path: "f", configuration: configuration, shards: [shard])
        attempt { () throws(HuggingFaceError) in _ = try LanguageModelConfiguration(folder) }
        attempt { () throws(HuggingFaceError) in _ = try ProjectorConfiguration(folder) }
        attempt { () throws(HuggingFaceError) in
            _ = try VisionConfiguration(HuggingFaceVision(tower: folder, model: folder))
        }
    }
    return 0
}

/// A message is one line without control characters, of a bearable length.
private func attempt(_ work: () throws(HuggingFaceError) -> Void) {
    do throws(HuggingFaceError) { try work() } catch {
        let message = error.description
        precondition(message.count < 2_000)
        precondition(!message.unicodeScalars.contains { $0.properties.generalCategory == .control })
    }
}
