// GGUFError.swift — everything that can be wrong with a model file, each said in one line: what, where, what to do.

/// A model file that cannot be used, and why.
public struct GGUFError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The path as it was given.
    public let file: String
    public let fault: Fault

    init(file: String, _ fault: Fault) {
        self.file = file
        self.fault = fault
    }

    public enum Fault: Sendable, Equatable {
        // The file as such.
        case unreadable(reason: String)
        case notRegular
        case empty
        case changed
        case notGGUF
        case wrongVersion(UInt32)
        case bigEndian
        // Its header.
        case truncated(place: String)
        case tooMany(String, UInt64)
        case textPastEnd(place: String, UInt64)
        case notUTF8(place: String)
        case keyTooLong(Int)
        case badValueType(key: String, UInt32)
        case badBool(key: String)
        case listPastEnd(key: String, UInt64)
        case nestedTooDeeply(key: String)
        case duplicateKey(String)
        case badAlignment(String)
        // Its tensor directory.
        case duplicateTensor(String)
        case dimensionCount(tensor: String, Int)
        case dimension(tensor: String, UInt64)
        case partialBlock(tensor: String, type: String, row: Int, block: Int)
        case unalignedTensor(String, alignment: Int)
        case tensorPastEnd(String, end: Int, size: Int)
        case overlappingTensors(String, String)
        // A model in several files.
        case laterPart(number: Int, count: Int, first: String)
        case unnamedParts(count: Int, ending: String)
        case missingPart(String, count: Int)
        case wrongPart(found: String, wanted: String)
        case partTensors(found: Int, wanted: Int)
        // What a model asks of it.
        case missingKey(String)
        case wrongKeyType(key: String, found: String, wanted: String)
        case absurdValue(key: String, value: String, allowed: String)
        case missingTensor(String)
        case unsupportedType(tensor: String, type: String)
        case wrongShape(tensor: String, found: [Int], wanted: [Int])
        case wrongKind(found: String, wanted: String)
        case unsupported(String)
        case badVocabulary(String)
    }

    public var description: String { "\(printable(file)) \(sentence)" }

    /// The message without the file's name, which stands before it.
    private var sentence: String {
        switch fault {
        case .unreadable(let reason): CheckpointSentence.unreadable(reason)
        case .notRegular: "is not a regular file. Give the path of a .gguf file."
        case .empty: "is empty. Copy or download it again."
        case .changed: ChangedFileError.sentence
        case .notGGUF: "is not a GGUF file: it does not begin with 'GGUF'. Convert the model with llama.cpp's tools."
        case .wrongVersion(let version):
            "is GGUF version \(version); versions 2 and 3 can be read. Convert the model again with current llama.cpp."
        case .bigEndian: "is a big-endian GGUF file; only little-endian ones can be read. Convert the model again."
        default: headerSentence ?? directorySentence ?? partSentence ?? contentSentence
        }
    }

    private var headerSentence: String? {
        switch fault {
        case .truncated(let place): "ends in the middle of \(printable(place)). \(Self.copyAgain)"
        case .tooMany(let what, let count): "claims to hold \(count) \(what), more than fit into it. \(Self.copyAgain)"
        case .textPastEnd(let place, let length):
            "claims \(length) bytes of text for \(printable(place)), more than it has left. \(Self.copyAgain)"
        case .notUTF8(let place): "holds text that is not UTF-8 in \(printable(place)). \(Self.copyAgain)"
        case .keyTooLong(let length):
            "has a key or tensor name of \(length) bytes, longer than GGUF allows. \(Self.copyAgain)"
        case .badValueType(let key, let code):
            "gives '\(printable(key))' the value type \(code), which GGUF does not have. \(Self.copyAgain)"
        case .badBool(let key): "holds a yes-or-no that is neither 0 nor 1 in '\(printable(key))'. \(Self.copyAgain)"
        case .listPastEnd(let key, let count):
            "claims \(count) elements for the list '\(printable(key))', more than fit into it. \(Self.copyAgain)"
        case .nestedTooDeeply(let key): "nests lists too deeply in '\(printable(key))'. \(Self.copyAgain)"
        case .duplicateKey(let key): "has the key '\(printable(key))' twice. Convert the model again."
        case .badAlignment(let value):
            "asks for an alignment of \(printable(value)); powers of two from 8 to 65536 can be read. "
                + "Convert the model again."
        default: nil
        }
    }

    private var directorySentence: String? {
        switch fault {
        case .duplicateTensor(let name): "has the tensor '\(printable(name))' twice. Convert the model again."
        case .dimensionCount(let name, let count):
            "gives the tensor '\(printable(name))' \(count) dimensions; 1 to 4 are possible. \(Self.copyAgain)"
        case .dimension(let name, let size):
            "gives the tensor '\(printable(name))' an impossible size (\(size)). \(Self.copyAgain)"
        case .partialBlock(let name, let type, let row, let block):
            "gives the \(type) tensor '\(printable(name))' rows of \(row) numbers, not a multiple of \(block). "
                + "Convert the model again."
        case .unalignedTensor(let name, let alignment):
            "places the tensor '\(printable(name))' off its alignment of \(alignment) bytes. \(Self.copyAgain)"
        case .tensorPastEnd(let name, let end, let size):
            CheckpointSentence.tensorPastEnd(name, end: end, size: size)
        case .overlappingTensors(let first, let second): CheckpointSentence.overlappingTensors(first, second)
        default: nil
        }
    }

    private var partSentence: String? {
        switch fault {
        case .laterPart(let number, let count, let first):
            "is part \(number) of the \(count) that a model was split into. Name the first one: \(printable(first))."
        case .unnamedParts(let count, let ending):
            "is one of the \(count) parts of a model, but its name does not end in '\(ending)', by which the others are "
                + "found. Give all parts their names back, or join them with `llama-gguf-split --merge`."
        case .missingPart(let name, let count):
            "is the first of \(count) parts of a model, and '\(printable(name))' is not beside it. Copy or download it too."
        case .wrongPart(let found, let wanted):
            "is \(found), and not \(wanted) as its name says. Copy or download the model's parts again."
        case .partTensors(let found, let wanted):
            "and the other parts hold \(found) tensors where the model has \(wanted): they are not all of one model. "
                + "Copy or download them again."
        default: nil
        }
    }

    private var contentSentence: String {
        switch fault {
        case .missingKey(let key): "has no key '\(printable(key))'. \(Self.inspect)"
        case .wrongKeyType(let key, let found, let wanted):
            CheckpointSentence.wrongKeyType(key, found: found, wanted: wanted, advice: "Convert the model again.")
        case .absurdValue(let key, let value, let allowed):
            CheckpointSentence.absurdValue(key, value: value, allowed: allowed, advice: "Convert the model again.")
        case .missingTensor(let name):
            "has no tensor named '\(printable(name))'. Is it a LLaVA-1.5 model? \(Self.inspect)"
        case .unsupportedType(let name, let type):
            "holds the tensor '\(printable(name))' as \(type); this version reads "
                + "\(StoredTensor.Format.allCases.map(\.rawValue).joined(separator: ", ")). "
                + "Convert the model to one of these, such as Q8_0."
        case .wrongShape(let name, let found, let wanted):
            "gives the tensor '\(printable(name))' the shape \(shape(found)) where its keys ask for \(shape(wanted)). "
                + "Convert the model again."
        case .wrongKind(let found, let wanted): "holds \(printable(found)), not \(wanted). \(Self.inspect)"
        case .unsupported(let what):
            "needs \(printable(what)), which this version does not have. Use a LLaVA-1.5 model."
        case .badVocabulary(let fact): "has a broken vocabulary: \(printable(fact)). Convert the model again."
        default: preconditionFailure("GGUFError: a fault without a sentence")
        }
    }

    private static let copyAgain = CheckpointSentence.copyAgain
    private static let inspect = "`specchat inspect` lists what it holds."

    private func shape(_ sizes: [Int]) -> String { sizes.map(String.init).joined(separator: " × ") }
}

extension GGUFError {
    init(file: String, _ fault: FileFault) {
        switch fault {
        case .unreadable(let reason): self.init(file: file, Fault.unreadable(reason: reason))
        case .notRegular: self.init(file: file, Fault.notRegular)
        case .empty, .tooLong: self.init(file: file, Fault.empty)
        }
    }
}

/// Text from a file or a path, fit for a message: one line, no control characters, of a bearable length.
func printable(_ text: String) -> String { printable(text, longest: 300) }

/// - Parameter longest: characters that are shown at most.
func printable(_ text: String, longest: Int) -> String {
    var shown = ""
    for scalar in text.unicodeScalars.prefix(longest) {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
            shown += "\\u{\(String(scalar.value, radix: 16))}"
        default: shown.unicodeScalars.append(scalar)
        }
    }
    return text.unicodeScalars.count > longest ? shown + "…" : shown
}
