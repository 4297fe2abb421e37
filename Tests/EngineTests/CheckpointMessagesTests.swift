import Testing

@testable import Engine

/// Every fault once, with the whole message.
private let gguf: [(GGUFError.Fault, String)] = [
    (
        .unreadable(reason: "no such file or directory"),
        "m.gguf cannot be read: no such file or directory. Check the path and its permissions."
    ),
    (.notRegular, "m.gguf is not a regular file. Give the path of a .gguf file."),
    (.empty, "m.gguf is empty. Copy or download it again."),
    (
        .notGGUF,
        "m.gguf is not a GGUF file: it does not begin with 'GGUF'. Convert the model with llama.cpp's tools."
    ),
    (
        .wrongVersion(1),
        "m.gguf is GGUF version 1; versions 2 and 3 can be read. Convert the model again with current llama.cpp."
    ),
    (
        .bigEndian,
        "m.gguf is a big-endian GGUF file; only little-endian ones can be read. Convert the model again."
    ),
    (
        .truncated(place: "the value of 'k'"),
        "m.gguf ends in the middle of the value of 'k'. The file is damaged: copy or download it again."
    ),
    (
        .tooMany("tensors", 99),
        "m.gguf claims to hold 99 tensors, more than fit into it. The file is damaged: copy or download it again."
    ),
    (
        .textPastEnd(place: "key number 3", 99),
        "m.gguf claims 99 bytes of text for key number 3, more than it has left. "
            + "The file is damaged: copy or download it again."
    ),
    (
        .notUTF8(place: "key number 3"),
        "m.gguf holds text that is not UTF-8 in key number 3. The file is damaged: copy or download it again."
    ),
    (
        .keyTooLong(70_000),
        "m.gguf has a key or tensor name of 70000 bytes, longer than GGUF allows. "
            + "The file is damaged: copy or download it again."
    ),
    (
        .badValueType(key: "k", 13),
        "m.gguf gives 'k' the value type 13, which GGUF does not have. The file is damaged: copy or download it again."
    ),
    (
        .badBool(key: "k"),
        "m.gguf holds a yes-or-no that is neither 0 nor 1 in 'k'. The file is damaged: copy or download it again."
    ),
    (
        .listPastEnd(key: "k", 99),
        "m.gguf claims 99 elements for the list 'k', more than fit into it. "
            + "The file is damaged: copy or download it again."
    ),
    (
        .nestedTooDeeply(key: "k"),
        "m.gguf nests lists too deeply in 'k'. The file is damaged: copy or download it again."
    ),
    (.duplicateKey("k"), "m.gguf has the key 'k' twice. Convert the model again."),
    (
        .badAlignment("7"),
        "m.gguf asks for an alignment of 7; powers of two from 8 to 65536 can be read. Convert the model again."
    ),
    (.duplicateTensor("t"), "m.gguf has the tensor 't' twice. Convert the model again."),
    (
        .dimensionCount(tensor: "t", 5),
        "m.gguf gives the tensor 't' 5 dimensions; 1 to 4 are possible. The file is damaged: copy or download it again."
    ),
    (
        .dimension(tensor: "t", 0),
        "m.gguf gives the tensor 't' an impossible size (0). The file is damaged: copy or download it again."
    ),
    (
        .partialBlock(tensor: "t", type: "Q8_0", row: 48, block: 32),
        "m.gguf gives the Q8_0 tensor 't' rows of 48 numbers, not a multiple of 32. Convert the model again."
    ),
    (
        .unalignedTensor("t", alignment: 32),
        "m.gguf places the tensor 't' off its alignment of 32 bytes. The file is damaged: copy or download it again."
    ),
    (
        .tensorPastEnd("t", end: 99, size: 50),
        "m.gguf places the end of the tensor 't' at byte 99 but has only 50 bytes. "
            + "The file is damaged: copy or download it again."
    ),
    (
        .overlappingTensors("a", "b"),
        "m.gguf lets the tensors 'a' and 'b' overlap. The file is damaged: copy or download it again."
    ),
    (
        .laterPart(number: 2, count: 3, first: "m-00001-of-00003.gguf"),
        "m.gguf is part 2 of the 3 that a model was split into. Name the first one: m-00001-of-00003.gguf."
    ),
    (
        .unnamedParts(count: 3, ending: "-00001-of-00003.gguf"),
        "m.gguf is one of the 3 parts of a model, but its name does not end in '-00001-of-00003.gguf', by which the others "
            + "are found. Give all parts their names back, or join them with `llama-gguf-split --merge`."
    ),
    (
        .missingPart("m-00002-of-00003.gguf", count: 3),
        "m.gguf is the first of 3 parts of a model, and 'm-00002-of-00003.gguf' is not beside it. Copy or download it too."
    ),
    (
        .wrongPart(found: "part 3 of 3", wanted: "part 2 of 3"),
        "m.gguf is part 3 of 3, and not part 2 of 3 as its name says. Copy or download the model's parts again."
    ),
    (
        .partTensors(found: 9, wanted: 12),
        "m.gguf and the other parts hold 9 tensors where the model has 12: they are not all of one model. "
            + "Copy or download them again."
    ),
    (.missingKey("k"), "m.gguf has no key 'k'. `specchat inspect` lists what it holds."),
    (
        .wrongKeyType(key: "k", found: "text", wanted: "a number"),
        "m.gguf holds text in 'k' where it must hold a number. Convert the model again."
    ),
    (
        .absurdValue(key: "k", value: "0", allowed: "from 1 to 8"),
        "m.gguf says 'k' is 0; it must be from 1 to 8. Convert the model again."
    ),
    (
        .missingTensor("t"),
        "m.gguf has no tensor named 't'. Is it a LLaVA-1.5 model? `specchat inspect` lists what it holds."
    ),
    (
        .unsupportedType(tensor: "t", type: "IQ2_XS"),
        "m.gguf holds the tensor 't' as IQ2_XS; this version reads F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, "
            + "Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS. "
            + "Convert the model to one of these, such as Q8_0."
    ),
    (
        .wrongShape(tensor: "t", found: [3, 4], wanted: [5]),
        "m.gguf gives the tensor 't' the shape 3 × 4 where its keys ask for 5. Convert the model again."
    ),
    (
        .wrongKind(found: "a vision model", wanted: "a language model"),
        "m.gguf holds a vision model, not a language model. `specchat inspect` lists what it holds."
    ),
    (
        .unsupported("a mixture of experts"),
        "m.gguf needs a mixture of experts, which this version does not have. Use a LLaVA-1.5 model."
    ),
    (
        .changed,
        "m.gguf has changed while it was in use. Start again, and leave the file alone meanwhile."
    ),
    (
        .badVocabulary("it has no tokens"),
        "m.gguf has a broken vocabulary: it has no tokens. Convert the model again."
    ),
]

/// The place of a fault in the enum: a new case does not compile here until it has one, and then the table is too short.
private func number(_ fault: GGUFError.Fault) -> Int {
    switch fault {
    case .unreadable: 0
    case .notRegular: 1
    case .empty: 2
    case .notGGUF: 3
    case .wrongVersion: 4
    case .bigEndian: 5
    case .truncated: 6
    case .tooMany: 7
    case .textPastEnd: 8
    case .notUTF8: 9
    case .keyTooLong: 10
    case .badValueType: 11
    case .badBool: 12
    case .listPastEnd: 13
    case .nestedTooDeeply: 14
    case .duplicateKey: 15
    case .badAlignment: 16
    case .duplicateTensor: 17
    case .dimensionCount: 18
    case .dimension: 19
    case .partialBlock: 20
    case .unalignedTensor: 21
    case .tensorPastEnd: 22
    case .overlappingTensors: 23
    case .missingKey: 24
    case .wrongKeyType: 25
    case .absurdValue: 26
    case .missingTensor: 27
    case .unsupportedType: 28
    case .wrongShape: 29
    case .wrongKind: 30
    case .unsupported: 31
    case .badVocabulary: 32
    case .changed: 33
    case .laterPart: 34
    case .unnamedParts: 35
    case .missingPart: 36
    case .wrongPart: 37
    case .partTensors: 38
    }
}

@Suite struct `Checkpoint messages` {
    @Test func `every fault of a model file has its message`() {
        for (fault, message) in gguf { #expect(GGUFError(file: "m.gguf", fault).description == message) }
        #expect(Set(gguf.map { number($0.0) }) == Set(0...38))
    }

    @Test func `names from a file are shown without control characters and cut to a bearable length`() {
        let error = GGUFError(file: "a\u{1B}[31m", .duplicateKey("x\n" + String(repeating: "y", count: 1_000)))
        #expect(error.description.hasPrefix("a\\u{1b}[31m has the key 'x\\u{a}yyy"))
        #expect(error.description.count < 400)
        #expect(error.description.contains("…' twice."))
    }
}
