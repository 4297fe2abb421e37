// CheckpointSentence.swift — what the errors of every format say alike. Used by GGUFError, HuggingFaceError and
// TokenizerFileError.

/// Sentences behind the name of a file.
enum CheckpointSentence {
    static let copyAgain = "The file is damaged: copy or download it again."

    static func unreadable(_ reason: String) -> String {
        "cannot be read: \(reason). Check the path and its permissions."
    }

    static func tensorPastEnd(_ name: String, end: Int, size: Int) -> String {
        "places the end of the tensor '\(printable(name))' at byte \(end) but has only \(size) bytes. \(copyAgain)"
    }

    static func overlappingTensors(_ first: String, _ second: String) -> String {
        "lets the tensors '\(printable(first))' and '\(printable(second))' overlap. \(copyAgain)"
    }

    static func wrongKeyType(_ key: String, found: String, wanted: String, advice: String) -> String {
        "holds \(found) in '\(printable(key))' where it must hold \(wanted). \(advice)"
    }

    static func absurdValue(_ key: String, value: String, allowed: String, advice: String) -> String {
        "says '\(printable(key))' is \(printable(value)); it must be \(allowed). \(advice)"
    }
}
