// KernelMachineTests.swift — the pool of threads: every piece once, whatever the threads are doing.

import CKernels
import Testing

@testable import Engine

@Suite struct `Kernel machine` {
    @Test(arguments: [1, 2, 4, 7])
    func `every piece of every work runs exactly once`(threads: Int) throws {
        let machine = try CPUMachine(instructions: .scalar, threads: threads)
        for work in 0..<6000 {
            // Few pieces, then many: a thread that is late for a small work must not begin the next one early.
            let pieces = work % 2 == 0 ? 2 + work % 3 : 20 + work % 23
            var counts = [Int32](repeating: 0, count: pieces)
            counts.withUnsafeMutableBytes { counts in
                // Pieces have places of their own, so a piece that ran twice or never shows without atomics.
                ck_machine_run(
                    machine.pointer, Int32(pieces),
                    { context, piece, _ in
                        context!.assumingMemoryBound(to: Int32.self)[Int(piece)] += 1
                    }, counts.baseAddress)
            }
            #expect(counts.allSatisfy { $0 == 1 }, "work \(work)")
        }
    }

    /// What the pieces of a work in steps write: how many steps each has done, and whether one began too early.
    private struct Steps {
        static let most = 7
        var done: (Int32, Int32, Int32, Int32, Int32, Int32, Int32) = (0, 0, 0, 0, 0, 0, 0)
        var pieces: Int32
        var early: Int32 = 0
    }

    @Test(arguments: [1, 2, 4, 7])
    func `no piece of a step begins before the step before it is done`(threads: Int) async throws {
        let machine = try CPUMachine(instructions: .scalar, threads: threads)
        for work in 0..<3000 {
            // Now and then the pool has gone to sleep: the caller then begins alone and is joined half-way.
            if work % 1000 == 999 { try await Task.sleep(for: .milliseconds(3)) }
            let pieces = 1 + work % threads, count = 1 + work % 40
            var steps = Steps(pieces: Int32(pieces))
            withUnsafeMutablePointer(to: &steps) { steps in
                ck_machine_run_steps(
                    machine.pointer, Int32(count), Int32(pieces),
                    { context, step, piece, _ in
                        let steps = context!.assumingMemoryBound(to: Steps.self)
                        withUnsafeMutableBytes(of: &steps.pointee.done) { bytes in
                            let done = bytes.bindMemory(to: Int32.self)
                            for other in 0..<Int(steps.pointee.pieces) where done[other] < step {
                                steps.pointee.early = 1
                            }
                            if done[Int(piece)] != step { steps.pointee.early = 1 }
                            done[Int(piece)] = step + 1
                        }
                    }, steps)
            }
            #expect(steps.early == 0, "work \(work)")
            withUnsafeBytes(of: steps.done) { bytes in
                let done = bytes.bindMemory(to: Int32.self)
                #expect(done[..<pieces].allSatisfy { $0 == count } && done[pieces...].allSatisfy { $0 == 0 })
            }
        }
    }

    @Test func `threads that fell asleep come back`() async throws {
        let machine = try CPUMachine(instructions: .scalar, threads: 3)
        for _ in 0..<5 {
            try await Task.sleep(for: .milliseconds(3))
            var threads = [Int32](repeating: -1, count: 300)
            threads.withUnsafeMutableBytes { threads in
                ck_machine_run(
                    machine.pointer, 300,
                    { context, piece, thread in
                        context!.assumingMemoryBound(to: Int32.self)[Int(piece)] = thread
                    }, threads.baseAddress)
            }
            #expect(threads.allSatisfy { (0..<3).contains($0) })
        }
    }

    @Test func `the instruction set follows SPECCHAT_ISA, and nonsense is refused by name`() throws {
        #expect(try InstructionSet.chosen(by: ["SPECCHAT_ISA": "scalar"]) == .scalar)
        #expect(try InstructionSet.chosen(by: [:]).isAvailable)
        #expect(try InstructionSet.chosen(by: ["SPECCHAT_ISA": ""]).isAvailable)
        #expect(throws: CPUBackendError.unknownInstructionSet("mmx")) {
            try InstructionSet.chosen(by: ["SPECCHAT_ISA": "mmx"])
        }
        #expect(
            CPUBackendError.unknownInstructionSet("mmx").description
                == "SPECCHAT_ISA names the instruction set 'mmx', which does not exist. "
                + "Choose scalar, avx2, avxvnni, avx512, neon, or unset it.")
    }

    @Test func `OpenBLAS comes with the first weight that it multiplies, and a machine without it is told so`() throws {
        let backend = try CPUBackend(threads: 1)
        _ = try backend.makeWeight(.made([1, 2], rows: 1), for: .fixedShapeProduct)
        #expect(backend.arithmetic.contains("OpenBLAS"), "\(backend.arithmetic)")
        #expect(
            CPUBackendError.openBLASUnavailable("libopenblas.so.0: no such file").description
                == "OpenBLAS, which works out what a model sees in a picture, cannot be loaded: "
                + "libopenblas.so.0: no such file. On Debian it is in the package libopenblas0.")
    }

    @Test func `there is at least one core, and no more than the system has`() {
        #expect(CPUMachine.physicalCores >= 1 && CPUMachine.physicalCores <= 4096)
    }
}
