// GGUFRotary.swift — how a language model's positions turn, from the keys of a GGUF file. Read by GGUFModelConfiguration.

extension Rotary {
    /// Reads the keys under `llama.rope`, with llama.cpp's meaning of those that are left out.
    init(_ file: GGUF, headWidth: Int) throws(GGUFError) {
        let widthKey = "llama.rope.dimension_count"
        let width = try file.count(widthKey, in: 2...headWidth, or: headWidth)
        guard width % 2 == 0 else {
            throw file.fault(.absurdValue(key: widthKey, value: "\(width)", allowed: "an even number"))
        }
        self.init(
            base: try file.positive("llama.rope.freq_base", or: 10_000), width: width, pairing: .adjacent,
            scaling: try Self.scaling(file), divisors: try Self.divisors(file, pairs: width / 2))
    }

    private static func scaling(_ file: GGUF) throws(GGUFError) -> Scaling {
        // The first files with a factor had no word for its kind: there was but one.
        let type = try file.string("llama.rope.scaling.type") ?? "linear"
        guard type != "none" else { return .none }
        let older = try file.factor("llama.rope.scale_linear")
        let factor = try file.factor("llama.rope.scaling.factor") ?? older ?? 1
        switch type {
        case "linear": return factor == 1 ? .none : .linear(factor: factor)
        case "yarn": return .yarn(try yarn(factor, file))
        default: throw file.fault(.unsupported("rotary scaling of type '\(type)'"))
        }
    }

    private static func yarn(_ factor: Double, _ file: GGUF) throws(GGUFError) -> YarnScaling {
        let prefix = "llama.rope.scaling."
        if let extrapolated = try file.number(prefix + "yarn_ext_factor"), extrapolated != 1 {
            throw file.fault(.unsupported("yarn scaling of which a share of \(extrapolated) is used"))
        }
        let range = 16...16_777_216
        let context = try file.count("llama.context_length", in: 1...range.upperBound)
        let weight = try file.number(prefix + "yarn_log_multiplier") ?? 0
        let growth =
            YarnScaling.magnitude(factor: factor) / YarnScaling.magnitude(factor: factor, weight: Double(weight))
        return YarnScaling(
            factor: factor,
            originalContext: try file.count(prefix + "original_context_length", in: range, or: context),
            fastTurns: Double(try file.positive(prefix + "yarn_beta_fast", or: 32)),
            slowTurns: Double(try file.positive(prefix + "yarn_beta_slow", or: 1)),
            magnitude: growth * Double(try file.positive(prefix + "attn_factor", or: 1)))
    }

    /// LLaMA 3.1's divisors, which llama.cpp's converter works out and stores as a tensor.
    private static func divisors(_ file: GGUF, pairs: Int) throws(GGUFError) -> [Float] {
        let name = "rope_freqs.weight"
        guard file.hasTensor(name) else { return [] }
        let values = try file.tensor(named: name, rows: 1, columns: pairs).floats()
        guard let wrong = values.first(where: { !($0.isFinite && $0 > 0) }) else { return values }
        throw file.fault(.absurdValue(key: name, value: "\(wrong)", allowed: "numbers above 0"))
    }
}

extension GGUF {
    /// A factor; 0 stands for none, as llama.cpp has it.
    fileprivate func factor(_ key: String) throws(GGUFError) -> Double? {
        guard let value = try number(key), value != 0 else { return nil }
        return Double(try positive(key))
    }

    /// A sliding window; 0 stands for none.
    func window(_ key: String) throws(GGUFError) -> Int? {
        guard let value = try integer(key), value != 0 else { return nil }
        return try count(key, in: 1...16_777_216)
    }
}
