// HuggingFaceError.swift — everything that can be wrong with a Hugging Face folder, each said in one line: what, where,
// what to do.

/// A folder, or a file of one, that cannot be used, and why.
public struct HuggingFaceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The folder or the file that the fault is in.
    public let path: String
    public let fault: Fault

    init(_ path: String, _ fault: Fault) {
        self.path = path
        self.fault = fault
    }

    public enum Fault: Sendable, Equatable {
        // A file as such.
        case unreadable(reason: String)
        case notRegular
        case empty
        case changed
        // A JSON text: a file of its own, or a safetensors header.
        case tooLong(Int, limit: Int)
        case badJSON(reason: String)
        case wrongValue(place: String)
        // A safetensors file.
        case headerPastEnd(length: UInt64, size: Int)
        case headerTooLong(UInt64, limit: Int)
        case badShape(tensor: String)
        case wrongSize(tensor: String, type: String, shape: [Int], bytes: Int)
        case tensorPastEnd(String, end: Int, size: Int)
        case overlappingTensors(String, String)
        // A folder.
        case noConfiguration
        case noWeights
        case pyTorchOnly(file: String)
        case missingShard(String)
        case shardOutside(String)
        case tensorNotInShard(tensor: String, shard: String)
        case tensorTwice(String, as: String)
        // What a model asks of it.
        case missingKey(String)
        case wrongKeyType(key: String, found: String, wanted: String)
        case absurdValue(key: String, value: String, allowed: String)
        case missingTensor(String)
        case unsupportedType(tensor: String, type: String)
        case wrongShape(tensor: String, found: [Int], wanted: [Int])
        case wrongKind(found: String, wanted: String)
        case quantised(method: String)
        case adapter(base: String?)
        case unsupported(String)
        /// A tower by its name, and the folders in which it was looked for.
        case missingTower(String, searched: [String])
        case noProjector
    }

    public var description: String { "\(printable(path)) \(sentence)" }

    /// The message without the path, which stands before it.
    private var sentence: String {
        switch fault {
        case .unreadable(let reason): CheckpointSentence.unreadable(reason)
        case .notRegular: "is not a regular file. \(Self.copyAgain)"
        case .empty: "is empty. \(Self.copyAgain)"
        case .changed: ChangedFileError.sentence
        default: textSentence ?? tensorSentence ?? folderSentence ?? contentSentence
        }
    }

    private var textSentence: String? {
        switch fault {
        case .tooLong(let length, let limit):
            "holds \(length) bytes of JSON, more than the \(limit) that are read. \(Self.copyAgain)"
        case .badJSON(let reason): "\(printable(reason)). \(Self.copyAgain)"
        case .wrongValue(let place) where place.isEmpty: "holds JSON that is no object. \(Self.copyAgain)"
        case .wrongValue(let place):
            "lacks a value at '\(printable(place))', or has one of the wrong type. \(Self.copyAgain)"
        default: nil
        }
    }

    private var tensorSentence: String? {
        switch fault {
        case .headerPastEnd(let length, let size):
            "is no whole safetensors file: its header should have \(length) bytes, and the file has \(size). "
                + Self.copyAgain
        case .headerTooLong(let length, let limit):
            "claims a header of \(length) bytes, more than the \(limit) that are read. \(Self.copyAgain)"
        case .badShape(let name):
            "gives the tensor '\(printable(name))' an impossible shape or place. \(Self.copyAgain)"
        case .wrongSize(let name, let type, let shape, let bytes):
            "sets \(bytes) bytes aside for the \(printable(type)) tensor '\(printable(name))' of \(sizes(shape)) numbers. "
                + Self.copyAgain
        case .tensorPastEnd(let name, let end, let size):
            CheckpointSentence.tensorPastEnd(name, end: end, size: size)
        case .overlappingTensors(let first, let second): CheckpointSentence.overlappingTensors(first, second)
        default: nil
        }
    }

    private var folderSentence: String? {
        switch fault {
        case .noConfiguration: "has no config.json. Give a folder as Hugging Face has it, with all its files."
        case .noWeights: "holds no .safetensors files. Copy or download the model's weights into it."
        case .pyTorchOnly(let file):
            "holds its weights as \(printable(file)) only. PyTorch's files can run programs and are never opened here. "
                + Self.conversionAdvice
        case .missingShard(let name): "names '\(printable(name))', which is not there. Copy or download it too."
        case .shardOutside(let name):
            "names '\(printable(name))', but only files in its own folder may be named. \(Self.copyAgain)"
        case .tensorNotInShard(let name, let shard):
            "places the tensor '\(printable(name))' in \(printable(shard)), which does not have it: "
                + "the files are of different models, or have changed places. \(Self.copyAgain)"
        case .tensorTwice(let name, let other):
            "holds the same tensor as '\(printable(other))' and as '\(printable(name))'. \(Self.copyAgain)"
        default: nil
        }
    }

    private var contentSentence: String {
        switch fault {
        case .missingKey(let key): "has no '\(printable(key))'. Copy the model's own file again."
        case .wrongKeyType(let key, let found, let wanted):
            CheckpointSentence.wrongKeyType(
                key, found: found, wanted: wanted, advice: "Copy the model's own file again.")
        case .absurdValue(let key, let value, let allowed):
            CheckpointSentence.absurdValue(
                key, value: value, allowed: allowed, advice: "Copy the model's own file again.")
        case .missingTensor(let name):
            "has no tensor '\(printable(name))'. Is it a whole LLaVA or LLaMA model? Copy or download it again."
        case .unsupportedType(let name, let type):
            "holds the tensor '\(printable(name))' as \(printable(type)); F32, F16 and BF16 are read. "
                + "Use an unquantised model, or a GGUF file."
        case .wrongShape(let name, let found, let wanted):
            "gives the tensor '\(printable(name))' the shape \(sizes(found)) where config.json asks for \(sizes(wanted)). "
                + "Copy the model's own files again."
        case .wrongKind(let found, let wanted): "holds \(printable(found)), not \(wanted). Name another folder."
        case .quantised(let method):
            "is quantised by \(printable(method)), whose files are not read here. "
                + "Use the unquantised model, or a GGUF file of it."
        case .adapter(let base):
            "holds an adapter, not a model. Merge it into "
                + (base.map { "its base model '\(printable($0))'" } ?? "its base model") + " and use the result."
        case .unsupported(let what):
            "needs \(printable(what)), which this version does not have. Use a LLaVA or LLaMA model without it."
        default: partSentence
        }
    }

    private var partSentence: String {
        switch fault {
        case .missingTower(let name, let searched):
            "sees through '\(printable(name))', which is not among its own weights nor in any of "
                + "\(searched.map(printable).joined(separator: ", ")). "
                + (Self.isPublished(name) ? "`hf download \(printable(name))` fetches it; or name" : "Name")
                + " its folder with --mmproj FOLDER."
        case .noProjector:
            "holds a vision tower without a projector. Use it with a LLaVA folder as --model, whose projector it needs."
        default: preconditionFailure("HuggingFaceError: a fault without a sentence")
        }
    }

    /// Whether this is a model's name on Hugging Face, "owner/name", and no path.
    private static func isPublished(_ name: String) -> Bool {
        name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]*\/[A-Za-z0-9][A-Za-z0-9._-]*/) != nil
    }

    private static let copyAgain = CheckpointSentence.copyAgain
    /// What to do with weights in PyTorch's files.
    static let conversionAdvice = "Convert them once, in that folder: \(conversion)"
    /// One file at a time, so that it takes no more memory than the largest; `weights_only` runs no program.
    private static let conversion =
        "python3 -c \"import glob,torch as t,safetensors.torch as s;"
        + "[s.save_file({k:v.clone().contiguous() for k,v in t.load(f,weights_only=True,map_location='cpu').items()},"
        + "f.replace('pytorch_','').replace('.bin','.safetensors')) for f in glob.glob('pytorch_model*.bin')]\""

    private func sizes(_ shape: [Int]) -> String {
        shape.isEmpty ? "a single number" : shape.map(String.init).joined(separator: " × ")
    }
}

extension HuggingFaceError {
    init(_ path: String, _ fault: FileFault) {
        switch fault {
        case .unreadable(let reason): self.init(path, Fault.unreadable(reason: reason))
        case .notRegular: self.init(path, Fault.notRegular)
        case .empty: self.init(path, Fault.empty)
        case .tooLong(let length, let limit): self.init(path, Fault.tooLong(length, limit: limit))
        }
    }

    init(_ path: String, _ error: JSONError) { self.init(path, Fault.badJSON(reason: error.description)) }
}
