// VisionRoundingTests.swift — what the kernel of whole numbers costs a tower that is wide enough for it.

import CKernels
import Testing

@testable import Engine

@Suite struct `Vision tower in whole numbers` {
    private static let hidden = 512, inner = 1024, blocks = 4, patches = 16

    @Test func `features and visual tokens stay within a thousandth of float32's`() throws {
        let checkpoint = try VisionCheckpoint(Self.tower().open("tower.gguf"))
        var random = SeededNumbers(seed: 21)
        let pixels = random.floats(Self.patches * 3 * 14 * 14)
        func seen(by backend: CPUBackend) throws -> [[Float]] {
            let tower = try VisionTower(checkpoint, backend: backend)
            let features = try tower.encode(patches: pixels) { _, _ in }
            let tokens = try Projector(checkpoint.projector, backend: backend).project(features)
            let pass = backend.begin(.vision(rows: Self.patches))
            return try [pass.read(features), pass.read(tokens)]
        }
        let exact = try seen(by: CPUBackend(threads: 2, instructions: .scalar))
        for instructions in InstructionSet.allCases where instructions.isAvailable {
            let backend = try CPUBackend(threads: 2, instructions: instructions)
            let found = try seen(by: backend)
            // Had the kernel not been taken, there would be nothing to see here.
            let least = ck_wide_available(backend.machine.pointer) ? 1e-6 : 0
            for (found, exact) in zip(found, exact) {
                let error = Self.length(zip(found, exact).map { $0 - $1 }) / Self.length(exact)
                #expect(error >= least && error < 1e-3, "\(instructions): \(error)")
            }
        }
    }

    private static func length(_ numbers: [Float]) -> Double {
        numbers.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    /// A tower of random weights, scaled so that every block matters, and after each norm a column thirty times as large
    /// as the others: such a column, which trained towers have, makes the others of its block coarse.
    private static func tower() -> GGUFBuilder {
        var file = GGUFBuilder.vision()
        for (key, value) in [
            ("image_size", 56), ("embedding_length", hidden), ("feed_forward_length", inner), ("block_count", blocks),
            ("attention.head_count", 8),
        ] { file.set("clip.vision.\(key)", .uint32(UInt32(value))) }
        file.tensors = []
        var state: UInt32 = 7
        func add(_ name: String, _ dimensions: [Int], around centre: Float = 0, scale: Float, loud: Float = 1) {
            let numbers = (0..<dimensions.reduce(1, *)).map { index -> Float in
                state = state &* 1_664_525 &+ 1_013_904_223
                let number = centre + scale * (Float(state >> 8) / Float(1 << 23) - 1)
                return index % dimensions[0] == 70 ? number * loud : number
            }
            let data = numbers.withUnsafeBytes { Array($0) }
            file.tensors.append(.init(name: name, type: 0, dimensions: dimensions.map { UInt64($0) }, data: data))
        }
        func product(_ name: String, _ inputs: Int, _ outputs: Int, size: Float = 1, loud: Float = 1) {
            add("\(name).weight", [inputs, outputs], scale: size * (3 / Float(inputs)).squareRoot(), loud: loud)
            add("\(name).bias", [outputs], scale: 0.05)
        }
        func norm(_ name: String, loud: Float = 1) {
            add("\(name).weight", [hidden], around: 1, scale: 0.1, loud: loud)
            add("\(name).bias", [hidden], scale: 0.05, loud: loud)
        }
        add("v.class_embd", [hidden], scale: 0.5)
        add("v.patch_embd.weight", [14, 14, 3, hidden], scale: 0.07)
        add("v.position_embd.weight", [hidden, patches + 1], scale: 0.5)
        norm("v.pre_ln")
        for block in 0..<blocks {
            norm("v.blk.\(block).ln1", loud: 30)
            for part in ["q", "k", "v"] { product("v.blk.\(block).attn_\(part)", hidden, hidden, loud: 1 / 30) }
            product("v.blk.\(block).attn_out", hidden, hidden, size: 0.35)
            norm("v.blk.\(block).ln2", loud: 30)
            product("v.blk.\(block).ffn_up", hidden, inner, loud: 1 / 30)
            product("v.blk.\(block).ffn_down", inner, hidden, size: 0.35)
        }
        product("mm.0", hidden, 1024)
        product("mm.2", 1024, 1024)
        return file
    }
}
