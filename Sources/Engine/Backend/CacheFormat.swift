// CacheFormat.swift — how keys and values are kept between passes.

/// How a backend keeps the keys and values of a text. Texts with different formats may differ; with one of them a text is
/// the same whatever drafts.
public enum CacheFormat: String, CaseIterable, Sendable {
    case float32 = "f32"
    /// Half the memory, and half of what decoding after a long text reads. A number keeps 11 bits.
    case float16 = "f16"
    /// A little more than a quarter: a byte for each number and a scale for each 32 of a head.
    case q8_0 = "q8_0"
}
