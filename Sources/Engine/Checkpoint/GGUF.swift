// GGUF.swift — a model file opened: its keys and its tensors by name. Everything that a hostile file could say is
// checked here, once; whoever asks later gets a value or a GGUFError.

/// An open GGUF file of version 2 or 3, little endian (llama.cpp's format), or the files of a model that was split.
struct GGUF: TensorSource {
    /// The path as it was given; of a split model, that of its first file.
    let path: String
    let version: UInt32
    /// Of all files together.
    let byteCount: Int
    /// Every tensor's place is a multiple of this.
    let alignment: Int
    /// Keys in the order of the file.
    let keys: [String]
    /// The tensor directory in the order of the file.
    let tensors: [GGUFTensor]

    private let values: [String: GGUFValue]
    private let tensorIndex: [String: Int]
    /// One for each file; the keys are those of the first.
    private let files: [FileBytes]

    /// How many files the model is in.
    var fileCount: Int { files.count }

    /// Maps the file at `path` and checks its header and directory; the numbers are left on disk until they are used. The
    /// first file of a split model brings the others along.
    init(path: String) throws(GGUFError) {
        let file = try GGUF(alone: path)
        self = try GGUFSplit(file)?.joined(to: file) ?? file
    }

    /// The file at `path` by itself, be it part of a split model or not.
    init(alone path: String) throws(GGUFError) {
        let bytes: FileBytes
        do throws(FileFault) { bytes = try FileBytes(path: path) } catch { throw GGUFError(file: path, error) }
        do throws(GGUFError) {
            try self.init(bytes, file: path)
        } catch {
            // What is wrong may be no more than that somebody was writing it.
            throw bytes.hasChanged ? GGUFError(file: path, .changed) : error
        }
        if bytes.hasChanged { throw fault(.changed) }
    }

    init(_ bytes: FileBytes, file: String) throws(GGUFError) {
        var cursor = GGUFCursor(bytes, file: file)
        let header = try cursor.header()
        var keys: [String] = []
        var values: [String: GGUFValue] = [:]
        for number in 0..<header.keys {
            let (key, value) = try cursor.entry(number + 1)
            guard values.updateValue(value, forKey: key) == nil else {
                throw GGUFError(file: file, .duplicateKey(key))
            }
            keys.append(key)
        }
        let alignment = try Self.alignment(values["general.alignment"], file: file)
        var directory: [GGUFTensor] = []
        var index: [String: Int] = [:]
        for number in 0..<header.tensors {
            let tensor = try cursor.tensor(number + 1)
            guard index.updateValue(number, forKey: tensor.name) == nil else {
                throw GGUFError(file: file, .duplicateTensor(tensor.name))
            }
            directory.append(tensor)
        }
        // The header is inside the file, so this sum cannot overflow.
        let start = (cursor.offset + alignment - 1) / alignment * alignment
        self.tensors = try Self.place(directory, from: start, alignment: alignment, size: bytes.count, file: file)
        self.path = file
        self.version = header.version
        self.byteCount = bytes.count
        self.alignment = alignment
        self.keys = keys
        self.values = values
        self.tensorIndex = index
        self.files = [bytes]
    }

    /// The keys of the first file with the tensors of all. `GGUFSplit` knows whether they belong together.
    init(joining parts: [GGUF]) throws(GGUFError) {
        var tensors: [GGUFTensor] = []
        var index: [String: Int] = [:]
        for (number, part) in parts.enumerated() {
            for var tensor in part.tensors {
                tensor.part = number
                guard index.updateValue(tensors.count, forKey: tensor.name) == nil else {
                    throw part.fault(.duplicateTensor(tensor.name))
                }
                tensors.append(tensor)
            }
        }
        (path, version, alignment) = (parts[0].path, parts[0].version, parts[0].alignment)
        (keys, values) = (parts[0].keys, parts[0].values)
        (self.tensors, tensorIndex) = (tensors, index)
        byteCount = parts.reduce(0) { $0 + $1.byteCount }
        files = parts.flatMap(\.files)
    }

    private static func alignment(_ value: GGUFValue?, file: String) throws(GGUFError) -> Int {
        switch value {
        case nil: return 32
        case .unsigned(let alignment)? where alignment.nonzeroBitCount == 1 && (8...65536).contains(alignment):
            return Int(alignment)
        case .unsigned(let alignment)?: throw GGUFError(file: file, .badAlignment("\(alignment)"))
        case .signed(let alignment)?: throw GGUFError(file: file, .badAlignment("\(alignment)"))
        case let other?: throw GGUFError(file: file, .badAlignment(other.typeName))
        }
    }

    /// Turns offsets from the start of the data into offsets from the start of the file, each proven to be inside it,
    /// aligned, and clear of its neighbours.
    private static func place(
        _ directory: [GGUFTensor], from start: Int, alignment: Int, size: Int, file: String
    ) throws(GGUFError) -> [GGUFTensor] {
        var placed: [GGUFTensor] = []
        for tensor in directory {
            guard tensor.offset % alignment == 0 else {
                throw GGUFError(file: file, .unalignedTensor(tensor.name, alignment: alignment))
            }
            let (first, overflow) = start.addingReportingOverflow(tensor.offset)
            // A tensor of unknown size has at least one byte.
            let (end, overflowToo) = first.addingReportingOverflow(tensor.byteCount ?? 1)
            guard !overflow, !overflowToo, end <= size else {
                let shown = overflow || overflowToo ? Int.max : end
                throw GGUFError(file: file, .tensorPastEnd(tensor.name, end: shown, size: size))
            }
            placed.append(
                GGUFTensor(
                    name: tensor.name, type: tensor.type, dimensions: tensor.dimensions, offset: first,
                    byteCount: tensor.byteCount))
        }
        let ordered = placed.sorted { $0.offset < $1.offset }
        for (one, next) in zip(ordered, ordered.dropFirst()) where one.offset + (one.byteCount ?? 1) > next.offset {
            throw GGUFError(file: file, .overlappingTensors(one.name, next.name))
        }
        return placed
    }

    // MARK: Tensors

    func hasTensor(_ name: String) -> Bool { tensorIndex[name] != nil }

    /// The directory's line for a tensor.
    func entry(_ name: String) throws(GGUFError) -> GGUFTensor {
        guard let index = tensorIndex[name] else { throw fault(.missingTensor(name)) }
        return tensors[index]
    }

    func shape(_ name: String) throws(GGUFError) -> [Int] { try entry(name).dimensions.reversed() }

    /// A tensor in its own shape: the first dimension is a row, the others are folded into the number of rows.
    func tensor(named name: String) throws(GGUFError) -> StoredTensor {
        let entry = try entry(name)
        return try tensor(named: name, rows: entry.count / entry.dimensions[0], columns: entry.dimensions[0])
    }

    /// A tensor that must have this shape, or fold into it without a dimension being cut: a convolution's kernel
    /// [patch, patch, 3, hidden] is `hidden` rows of `3 · patch · patch` columns.
    func tensor(named name: String, rows: Int, columns: Int) throws(GGUFError) -> StoredTensor {
        let entry = try entry(name)
        guard let format = entry.type.format else {
            throw fault(.unsupportedType(tensor: name, type: entry.type.name))
        }
        try expect(name, rows: rows, columns: columns)
        guard columns % format.blockLength == 0 else {
            throw fault(.wrongShape(tensor: name, found: entry.dimensions, wanted: [columns, rows]))
        }
        return files[entry.part].tensor(named: name, as: format, rows: rows, columns: columns, at: entry.offset)
    }

    /// Throws unless the tensor is there and folds into this shape, whatever its type.
    func expect(_ name: String, rows: Int, columns: Int) throws(GGUFError) {
        let entry = try entry(name)
        guard entry.folds(into: rows, columns) else {
            throw fault(
                .wrongShape(tensor: name, found: entry.dimensions, wanted: rows == 1 ? [columns] : [columns, rows]))
        }
    }

    /// Bytes by which this model is known from every other one, wherever it lies: of each file its size, the time at which
    /// it was written, everything before the tensors, and some bytes of every tensor.
    func identity() -> [UInt8] {
        files.enumerated().flatMap { number, bytes in
            let tensors = tensors.filter { $0.part == number }
            return bytes.identity(
                head: tensors.map(\.offset).min() ?? bytes.count,
                tensors: tensors.compactMap { tensor in tensor.byteCount.map { (tensor.offset, $0) } })
        }
    }

    func stamp() -> [UInt8] { files.flatMap { $0.stamp() } }

    // MARK: Keys

    subscript(key: String) -> GGUFValue? { values[key] }

    func string(_ key: String) throws(GGUFError) -> String? {
        switch values[key] {
        case nil: return nil
        case .string(let text)?: return text
        case let other?: throw wrongType(key, other, "text")
        }
    }

    func bool(_ key: String) throws(GGUFError) -> Bool? {
        switch values[key] {
        case nil: return nil
        case .bool(let value)?: return value
        case let other?: throw wrongType(key, other, "yes or no")
        }
    }

    /// A whole number; one that no `Int` can hold is cut to the nearest that can, which every range then refuses.
    func integer(_ key: String) throws(GGUFError) -> Int? {
        switch values[key] {
        case nil: return nil
        case .unsigned(let value)?: return Int(clamping: value)
        case .signed(let value)?: return Int(clamping: value)
        case let other?: throw wrongType(key, other, "a whole number")
        }
    }

    func number(_ key: String) throws(GGUFError) -> Float? {
        if case .float(let value)? = values[key] { return Float(value) }
        guard let value = values[key] else { return nil }
        guard let whole = try? integer(key) else { throw wrongType(key, value, "a number") }
        return Float(whole)
    }

    func strings(_ key: String) throws(GGUFError) -> [String]? {
        guard let value = values[key] else { return nil }
        guard case .array(let array) = value, array.element == .string else {
            throw wrongType(key, value, "a list of text")
        }
        guard let texts = GGUFCursor.strings(of: array, in: files[0]), !files[0].hasChanged else {
            throw fault(.changed)
        }
        return texts
    }

    func numbers(_ key: String) throws(GGUFError) -> [Float]? {
        guard let value = values[key] else { return nil }
        guard case .array(let array) = value, let numbers = GGUFCursor.numbers(of: array, in: files[0]) else {
            throw wrongType(key, value, "a list of numbers")
        }
        if files[0].hasChanged { throw fault(.changed) }
        return numbers.map { value in
            switch value {
            case .float(let value): Float(value)
            case .unsigned(let value): Float(value)
            case .signed(let value): Float(value)
            case .bool, .string, .array: preconditionFailure("GGUF: a list of numbers holds a \(value.typeName)")
            }
        }
    }

    /// A whole number in `range`; `fallback` where the key is absent and one is given.
    func count(_ key: String, in range: ClosedRange<Int>, or fallback: Int? = nil) throws(GGUFError) -> Int {
        guard let value = try integer(key) ?? fallback else { throw fault(.missingKey(key)) }
        guard range.contains(value) else {
            let allowed = "from \(range.lowerBound) to \(range.upperBound)"
            throw fault(.absurdValue(key: key, value: "\(value)", allowed: allowed))
        }
        return value
    }

    /// A number that is finite and above 0; `fallback` where the key is absent and one is given.
    func positive(_ key: String, or fallback: Float? = nil) throws(GGUFError) -> Float {
        guard let value = try number(key) ?? fallback else { throw fault(.missingKey(key)) }
        guard value.isFinite, value > 0 else {
            throw fault(.absurdValue(key: key, value: "\(value)", allowed: "a number above 0"))
        }
        return value
    }

    func fault(_ fault: GGUFError.Fault) -> GGUFError { GGUFError(file: path, fault) }

    private func wrongType(_ key: String, _ found: GGUFValue, _ wanted: String) -> GGUFError {
        fault(.wrongKeyType(key: key, found: found.typeName, wanted: wanted))
    }
}
