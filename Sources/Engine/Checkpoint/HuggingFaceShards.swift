// HuggingFaceShards.swift — which files of a folder hold its weights. Opened for HuggingFaceFolder.

internal import Foundation

enum HuggingFaceShards {
    static let indexName = "model.safetensors.index.json"

    /// All weight files: the single one, those of the index, or a whole numbered set without an index.
    static func open(in folder: String) throws(HuggingFaceError) -> [SafetensorsFile] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        if names.contains("model.safetensors") {
            return [try SafetensorsFile(path: "\(folder)/model.safetensors")]
        }
        if names.contains(indexName) { return try indexed(in: folder) }
        if let set = try numbered(names, in: folder) {
            return try set.map { name throws(HuggingFaceError) in try SafetensorsFile(path: "\(folder)/\(name)") }
        }
        let foreign = names.sorted().first { $0.hasSuffix(".bin") || $0.hasSuffix(".pt") || $0.hasSuffix(".pth") }
        throw HuggingFaceError(folder, foreign.map { .pyTorchOnly(file: $0) } ?? .noWeights)
    }

    private static func indexed(in folder: String) throws(HuggingFaceError) -> [SafetensorsFile] {
        let path = "\(folder)/\(indexName)"
        let shardOfTensor = try index(path)
        var shards: [String: SafetensorsFile] = [:]
        for name in Set(shardOfTensor.values).sorted() {
            // A folder may come from a stranger, so it names only what lies in it.
            guard !name.isEmpty, !name.contains("/"), !name.contains("\0"), name != ".", name != ".." else {
                throw HuggingFaceError(path, .shardOutside(name))
            }
            guard FileManager.default.fileExists(atPath: "\(folder)/\(name)") else {
                throw HuggingFaceError(path, .missingShard(name))
            }
            shards[name] = try SafetensorsFile(path: "\(folder)/\(name)")
        }
        for (tensor, name) in shardOfTensor.sorted(by: { $0.key < $1.key }) where shards[name]?[tensor] == nil {
            throw HuggingFaceError(path, .tensorNotInShard(tensor: tensor, shard: name))
        }
        return shards.sorted { $0.key < $1.key }.map(\.value)
    }

    /// The `weight_map`: the file of each tensor.
    private static func index(_ path: String) throws(HuggingFaceError) -> [String: String] {
        let bytes: [UInt8]
        do throws(FileFault) { bytes = try FileBytes.read(path, limit: 8 << 20) } catch {
            throw HuggingFaceError(path, error)
        }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONReader.read(bytes, limits: JSONReader.Limits(depth: 4, values: 200_000))
        } catch {
            throw HuggingFaceError(path, error)
        }
        guard let map = value["weight_map"]?.members else {
            throw HuggingFaceError(path, .wrongValue(place: "weight_map"))
        }
        var shardOfTensor: [String: String] = [:]
        for member in map {
            guard let shard = member.value.text else { throw HuggingFaceError(path, .wrongValue(place: member.name)) }
            shardOfTensor[member.name] = shard
        }
        return shardOfTensor
    }

    /// "model-00001-of-00003.safetensors" and its kin: complete, or a message that names what is missing.
    private static func numbered(_ names: [String], in folder: String) throws(HuggingFaceError) -> [String]? {
        let pattern = /model-(\d{5})-of-(\d{5})\.safetensors/
        guard let total = names.compactMap({ $0.wholeMatch(of: pattern)?.output.2 }).max(), let count = Int(total)
        else {
            return nil
        }
        func padded(_ number: Int) -> String { String(repeating: "0", count: 5 - "\(number)".count) + "\(number)" }
        guard count > 0 else { return nil }
        return try (1...count).map { number throws(HuggingFaceError) in
            let name = "model-\(padded(number))-of-\(total).safetensors"
            guard names.contains(name) else { throw HuggingFaceError(folder, .missingShard(name)) }
            return name
        }
    }
}
