// HuggingFaceRotary.swift — how a language model's positions turn, from a Hugging Face folder's config.json. Read by
// HuggingFaceModelConfiguration.

extension Rotary {
    /// Reads `rope_theta` and `rope_parameters` (in older files `rope_scaling`), with transformers' meaning of what is
    /// left out.
    ///
    /// - Parameter context: the longest text that the model reads, in positions.
    init(_ text: HuggingFaceConfiguration, headWidth: Int, context: Int) throws(HuggingFaceError) {
        // transformers 5 keeps the base and the scaling in one object.
        let parameters = try text.object("rope_parameters")
        let older = try text.object("rope_scaling")
        let named = try text.positive("rope_theta", or: 10_000)
        let base = try parameters?.positive("rope_theta", or: named) ?? named
        var scaling = Scaling.none
        var divisors: [Float] = []
        if let found = parameters ?? older {
            let oldType = try found.string("type")
            let type = try found.string("rope_type") ?? oldType ?? "default"
            switch type {
            case "default": break
            case "linear":
                let factor = try found.required("factor")
                scaling = factor == 1 ? .none : .linear(factor: factor)
            case "yarn": scaling = .yarn(try Self.yarn(found, of: text, context: context))
            case "llama3":
                divisors = Self.divisors(
                    base: base, width: headWidth, factor: try found.required("factor"),
                    low: try found.required("low_freq_factor"), high: try found.required("high_freq_factor"),
                    originalContext: try Self.originalContext(found, of: text, context: context))
            default: throw text.fault(.unsupported("rotary scaling of type '\(type)'"))
            }
        }
        self.init(base: base, width: headWidth, pairing: .halves, scaling: scaling, divisors: divisors)
    }

    private static func originalContext(
        _ found: HuggingFaceConfiguration, of text: HuggingFaceConfiguration, context: Int
    ) throws(HuggingFaceError) -> Int {
        let key = "original_max_position_embeddings"
        let range = 1...16_777_216
        // What stands outside the object comes first, as in transformers.
        return text[key] != nil ? try text.count(key, in: range) : try found.count(key, in: range, or: context)
    }

    private static func yarn(
        _ found: HuggingFaceConfiguration, of text: HuggingFaceConfiguration, context: Int
    ) throws(HuggingFaceError) -> YarnScaling {
        let original = try originalContext(found, of: text, context: context)
        let factor = try found.factor("factor") ?? Double(context) / Double(original)
        var magnitude = YarnScaling.magnitude(factor: factor)
        if let weight = try found.factor("mscale"), let other = try found.factor("mscale_all_dim") {
            magnitude =
                YarnScaling.magnitude(factor: factor, weight: weight)
                / YarnScaling.magnitude(factor: factor, weight: other)
        }
        return YarnScaling(
            factor: factor, originalContext: original, fastTurns: try found.factor("beta_fast") ?? 32,
            slowTurns: try found.factor("beta_slow") ?? 1, hasWholeBorders: try found.bool("truncate") ?? true,
            magnitude: try found.factor("attention_factor") ?? magnitude)
    }
}

extension HuggingFaceConfiguration {
    /// A number above 0; 0 stands for none.
    fileprivate func factor(_ key: String) throws(HuggingFaceError) -> Double? {
        guard let value = try number(key), value != 0 else { return nil }
        guard value.isFinite, value > 0 else { throw absurd(key, "\(value)", allowed: "a number above 0") }
        return value
    }

    fileprivate func required(_ key: String) throws(HuggingFaceError) -> Double {
        guard let value = try factor(key) else { throw absurd(key, "nothing", allowed: "a number above 0") }
        return value
    }
}
