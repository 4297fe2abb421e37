import Testing

@testable import Engine

private let copyAgain = "The file is damaged: copy or download it again."

private let messages: [(HuggingFaceError.Fault, String)] = [
    (
        .unreadable(reason: "permission denied"),
        "m cannot be read: permission denied. Check the path and its permissions."
    ),
    (.notRegular, "m is not a regular file. \(copyAgain)"),
    (.empty, "m is empty. \(copyAgain)"),
    (.changed, "m has changed while it was in use. Start again, and leave the file alone meanwhile."),
    (.tooLong(9, limit: 8), "m holds 9 bytes of JSON, more than the 8 that are read. \(copyAgain)"),
    (
        .badJSON(reason: "is not valid JSON: it ends in the middle of a value at byte 3"),
        "m is not valid JSON: it ends in the middle of a value at byte 3. \(copyAgain)"
    ),
    (.wrongValue(place: ""), "m holds JSON that is no object. \(copyAgain)"),
    (.wrongValue(place: "a b"), "m lacks a value at 'a b', or has one of the wrong type. \(copyAgain)"),
    (
        .headerPastEnd(length: 90, size: 20),
        "m is no whole safetensors file: its header should have 90 bytes, and the file has 20. \(copyAgain)"
    ),
    (.headerTooLong(9, limit: 8), "m claims a header of 9 bytes, more than the 8 that are read. \(copyAgain)"),
    (.badShape(tensor: "t"), "m gives the tensor 't' an impossible shape or place. \(copyAgain)"),
    (
        .wrongSize(tensor: "t", type: "F16", shape: [2, 3], bytes: 8),
        "m sets 8 bytes aside for the F16 tensor 't' of 2 × 3 numbers. \(copyAgain)"
    ),
    (
        .tensorPastEnd("t", end: 90, size: 20),
        "m places the end of the tensor 't' at byte 90 but has only 20 bytes. \(copyAgain)"
    ),
    (.overlappingTensors("s", "t"), "m lets the tensors 's' and 't' overlap. \(copyAgain)"),
    (.noConfiguration, "m has no config.json. Give a folder as Hugging Face has it, with all its files."),
    (.noWeights, "m holds no .safetensors files. Copy or download the model's weights into it."),
    (
        .pyTorchOnly(file: "pytorch_model.bin"),
        "m holds its weights as pytorch_model.bin only. PyTorch's files can run programs and are never opened here. "
            + "Convert them once, in that folder: python3 -c \"import glob,torch as t,safetensors.torch as s;"
            + "[s.save_file({k:v.clone().contiguous() for k,v in t.load(f,weights_only=True,map_location='cpu').items()},"
            + "f.replace('pytorch_','').replace('.bin','.safetensors')) for f in glob.glob('pytorch_model*.bin')]\""
    ),
    (.missingShard("s"), "m names 's', which is not there. Copy or download it too."),
    (.shardOutside("../s"), "m names '../s', but only files in its own folder may be named. \(copyAgain)"),
    (
        .tensorNotInShard(tensor: "t", shard: "s"),
        "m places the tensor 't' in s, which does not have it: the files are of different models, or have changed places. "
            + copyAgain
    ),
    (.tensorTwice("t", as: "s"), "m holds the same tensor as 's' and as 't'. \(copyAgain)"),
    (.missingKey("k"), "m has no 'k'. Copy the model's own file again."),
    (
        .wrongKeyType(key: "k", found: "text", wanted: "a number"),
        "m holds text in 'k' where it must hold a number. Copy the model's own file again."
    ),
    (
        .absurdValue(key: "k", value: "0", allowed: "from 1 to 8"),
        "m says 'k' is 0; it must be from 1 to 8. Copy the model's own file again."
    ),
    (
        .missingTensor("t"),
        "m has no tensor 't'. Is it a whole LLaVA or LLaMA model? Copy or download it again."
    ),
    (
        .unsupportedType(tensor: "t", type: "I8"),
        "m holds the tensor 't' as I8; F32, F16 and BF16 are read. Use an unquantised model, or a GGUF file."
    ),
    (
        .wrongShape(tensor: "t", found: [], wanted: [5]),
        "m gives the tensor 't' the shape a single number where config.json asks for 5. Copy the model's own files again."
    ),
    (
        .wrongKind(found: "a CLIP vision tower", wanted: "a language model"),
        "m holds a CLIP vision tower, not a language model. Name another folder."
    ),
    (
        .quantised(method: "AWQ"),
        "m is quantised by AWQ, whose files are not read here. Use the unquantised model, or a GGUF file of it."
    ),
    (.adapter(base: nil), "m holds an adapter, not a model. Merge it into its base model and use the result."),
    (.adapter(base: "b"), "m holds an adapter, not a model. Merge it into its base model 'b' and use the result."),
    (
        .unsupported("a bias"),
        "m needs a bias, which this version does not have. Use a LLaVA or LLaMA model without it."
    ),
    (
        .missingTower("openai/clip", searched: ["/a/m", "/a"]),
        "m sees through 'openai/clip', which is not among its own weights nor in any of /a/m, /a. "
            + "`hf download openai/clip` fetches it; or name its folder with --mmproj FOLDER."
    ),
    (
        .missingTower("./clip", searched: ["/a/m"]),
        "m sees through './clip', which is not among its own weights nor in any of /a/m. "
            + "Name its folder with --mmproj FOLDER."
    ),
    (
        .noProjector,
        "m holds a vision tower without a projector. Use it with a LLaVA folder as --model, whose projector it needs."
    ),
]

/// The place of a fault in the enum: a new case does not compile here until it has one, and then the table is too short.
private func number(_ fault: HuggingFaceError.Fault) -> Int {
    switch fault {
    case .unreadable: 0
    case .notRegular: 1
    case .empty: 2
    case .changed: 3
    case .tooLong: 4
    case .badJSON: 5
    case .wrongValue: 6
    case .headerPastEnd: 7
    case .headerTooLong: 8
    case .badShape: 9
    case .wrongSize: 10
    case .tensorPastEnd: 11
    case .overlappingTensors: 12
    case .noConfiguration: 13
    case .noWeights: 14
    case .pyTorchOnly: 15
    case .missingShard: 16
    case .shardOutside: 17
    case .tensorNotInShard: 18
    case .tensorTwice: 19
    case .missingKey: 20
    case .wrongKeyType: 21
    case .absurdValue: 22
    case .missingTensor: 23
    case .unsupportedType: 24
    case .wrongShape: 25
    case .wrongKind: 26
    case .quantised: 27
    case .adapter: 28
    case .unsupported: 29
    case .missingTower: 30
    case .noProjector: 31
    }
}

@Suite struct `Hugging Face messages` {
    @Test func `every fault of a folder has its message`() {
        for (fault, message) in messages { #expect(HuggingFaceError("m", fault).description == message) }
        #expect(Set(messages.map { number($0.0) }) == Set(0...31))
    }

    @Test func `names from a folder are shown without control characters and cut to a bearable length`() {
        let name = "x\n" + String(repeating: "y", count: 1_000)
        let error = HuggingFaceError("a\u{1B}[31m", .missingTensor(name))
        #expect(error.description.hasPrefix("a\\u{1b}[31m has no tensor 'x\\u{a}yyy"))
        #expect(error.description.count < 450)
    }
}
