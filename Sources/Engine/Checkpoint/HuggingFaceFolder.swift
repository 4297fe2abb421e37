// HuggingFaceFolder.swift — a model as Hugging Face keeps it: config.json, safetensors, the tokenizer's files. Everything
// that a hostile folder could say is checked here and in SafetensorsFile, once.

internal import Foundation

/// An open folder. Its tensors go by GGUF's names whatever it calls them; rotary pairs stay the halves of a head.
struct HuggingFaceFolder: TensorSource {
    let path: String
    let kind: HuggingFaceKind
    /// config.json.
    let configuration: HuggingFaceConfiguration

    /// A tensor's file and its line there.
    private struct Place {
        let shard: Int
        let tensor: SafetensorsFile.Tensor
    }
    /// The files of its weights, in the order of their names.
    let shards: [SafetensorsFile]
    private let places: [String: Place]

    /// Reads config.json and the headers of all weights; the numbers are left on disk until they are used.
    init(path: String) throws(HuggingFaceError) {
        let configuration = try Self.configuration(of: path)
        // Before the weights: of a model that cannot be run, nothing about its files is worth a word.
        _ = try HuggingFaceKind(configuration, folder: path)
        try self.init(path: path, configuration: configuration, shards: HuggingFaceShards.open(in: path))
    }

    init(
        path: String, configuration: HuggingFaceConfiguration, shards: [SafetensorsFile]
    ) throws(HuggingFaceError) {
        self.path = path
        self.configuration = configuration
        self.shards = shards
        kind = try HuggingFaceKind(configuration, folder: path)
        places = try Self.places(in: shards)
        try refuseHeads()
    }

    /// Whether a folder is meant for this reader.
    static func isOne(_ path: String) -> Bool {
        ["config.json", "adapter_config.json"].contains { has($0, in: path) }
    }

    /// Whether a folder has an entry of this name, be it a link that leads nowhere: opening it then says so.
    private static func has(_ name: String, in folder: String) -> Bool {
        (try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")) != nil
    }

    /// What a folder holds by its config.json alone.
    static func kind(of path: String) throws(HuggingFaceError) -> HuggingFaceKind {
        try HuggingFaceKind(configuration(of: path), folder: path)
    }

    private static func configuration(of path: String) throws(HuggingFaceError) -> HuggingFaceConfiguration {
        func has(_ name: String) -> Bool { Self.has(name, in: path) }
        let isAdapter = has("adapter_config.json")
        let hasWeights = has("model.safetensors") || has(HuggingFaceShards.indexName)
        if isAdapter && !hasWeights {
            let base = try HuggingFaceConfiguration(path: "\(path)/adapter_config.json")
                .string("base_model_name_or_path")
            throw HuggingFaceError(path, .adapter(base: base))
        }
        guard has("config.json") else { throw HuggingFaceError(path, .noConfiguration) }
        return try HuggingFaceConfiguration(path: "\(path)/config.json")
    }

    /// Every tensor that is used, under our name. One tensor under two spellings would leave open which one is meant.
    private static func places(in shards: [SafetensorsFile]) throws(HuggingFaceError) -> [String: Place] {
        var places: [String: Place] = [:]
        for (number, shard) in shards.enumerated() {
            for tensor in shard.tensors {
                guard let name = HuggingFaceNames.canonical(tensor.name) else { continue }
                if let other = places.updateValue(Place(shard: number, tensor: tensor), forKey: name) {
                    throw HuggingFaceError(shard.path, .tensorTwice(tensor.name, as: other.tensor.name))
                }
            }
        }
        return places
    }

    /// EAGLE's heads are folders of a one-layer LLaMA, but what they hold is no model of its own.
    private func refuseHeads() throws(HuggingFaceError) {
        guard kind == .language, !hasTensor("token_embd.weight") || !hasTensor("output_norm.weight") else { return }
        if shards.contains(where: { $0["fc.weight"] != nil }) {
            throw HuggingFaceError(
                path, .wrongKind(found: "a feature head (EAGLE's kind)", wanted: "a language model"))
        }
    }

    // MARK: Tensors

    var byteCount: Int { shards.reduce(0) { $0 + $1.byteCount } }

    func hasTensor(_ name: String) -> Bool { places[name] != nil }

    private func place(_ name: String) throws(HuggingFaceError) -> Place {
        guard let place = places[name] else { throw HuggingFaceError(path, .missingTensor(name)) }
        return place
    }

    func shape(_ name: String) throws(HuggingFaceError) -> [Int] { try place(name).tensor.shape }

    func tensor(named name: String) throws(HuggingFaceError) -> StoredTensor {
        let (rows, columns) = try folded(name)
        return try tensor(named: name, rows: rows, columns: columns)
    }

    func tensor(named name: String, rows: Int, columns: Int) throws(HuggingFaceError) -> StoredTensor {
        try expect(name, rows: rows, columns: columns)
        let place = try place(name)
        return try shards[place.shard].stored(place.tensor, as: name, rows: rows, columns: columns)
    }

    func expect(_ name: String, rows: Int, columns: Int) throws(HuggingFaceError) {
        let place = try place(name)
        guard shapeFolds(place.tensor.shape, into: rows, columns) else {
            throw HuggingFaceError(
                shards[place.shard].path,
                .wrongShape(
                    tensor: place.tensor.name, found: place.tensor.shape,
                    wanted: rows == 1 ? [columns] : [rows, columns]))
        }
    }

    func identity() -> [UInt8] {
        // What config.json says (the rotary base, say) changes the numbers as much as the weights do.
        let words = (try? FileBytes.read("\(path)/config.json", limit: HuggingFaceConfiguration.longest)) ?? []
        return shards.reduce(into: words) { $0 += $1.identity() }
    }

    func stamp() -> [UInt8] { shards.flatMap { $0.stamp() } }

    /// Another JSON file of the folder; absent where there is none.
    func document(_ name: String) throws(HuggingFaceError) -> HuggingFaceConfiguration? {
        try HuggingFaceConfiguration.ifThere("\(path)/\(name)")
    }
}
