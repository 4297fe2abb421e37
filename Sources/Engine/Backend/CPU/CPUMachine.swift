// CPUMachine.swift — the instruction set and the threads that a CPU backend computes with.

import CKernels

/// A CPU backend that cannot be made.
enum CPUBackendError: Error, Equatable, CustomStringConvertible {
    case unknownInstructionSet(String)
    case instructionSetUnavailable(InstructionSet)
    case threadsUnavailable(Int)
    case openBLASUnavailable(String)

    var description: String {
        switch self {
        case .unknownInstructionSet(let name):
            "SPECCHAT_ISA names the instruction set '\(name)', which does not exist. "
                + "Choose \(InstructionSet.allCases.map(\.rawValue).joined(separator: ", ")), or unset it."
        case .instructionSetUnavailable(let instructions):
            "This processor does not have the instruction set '\(instructions.rawValue)'. Unset SPECCHAT_ISA."
        case .threadsUnavailable(let count):
            "The system does not let this program start \(count) threads. Choose fewer with --threads."
        case .openBLASUnavailable(let problem):
            "OpenBLAS, which works out what a model sees in a picture, cannot be loaded: \(problem). "
                + "On Debian it is in the package libopenblas0."
        }
    }
}

/// Which of the kernels' builds runs.
enum InstructionSet: String, CaseIterable, Sendable {
    case scalar, avx2, avxvnni, avx512, neon

    /// What the name of the backend calls it.
    var title: String {
        switch self {
        case .avxvnni: "avx-vnni"
        case .avx512: "avx512-vnni"
        case .neon: "neon-dotprod"
        case .scalar, .avx2: rawValue
        }
    }

    var isAvailable: Bool { ck_isa_available(code) }

    /// The one that SPECCHAT_ISA asks for, otherwise the best that this processor runs.
    static func chosen(by environment: [String: String]) throws(CPUBackendError) -> InstructionSet {
        guard let name = environment["SPECCHAT_ISA"], !name.isEmpty else {
            return allCases.last(where: \.isAvailable) ?? .scalar
        }
        guard let instructions = InstructionSet(rawValue: name) else { throw .unknownInstructionSet(name) }
        return instructions
    }

    fileprivate var code: ck_isa {
        switch self {
        case .scalar: CK_PORTABLE
        case .avx2: CK_AVX2
        case .avxvnni: CK_AVXVNNI
        case .avx512: CK_AVX512
        case .neon: CK_NEON
        }
    }
}

/// A pool of threads that lives as long as this object.
final class CPUMachine {
    let instructions: InstructionSet
    let threads: Int
    let pointer: OpaquePointer

    init(instructions: InstructionSet, threads: Int) throws(CPUBackendError) {
        precondition(threads > 0, "CPUMachine: \(threads) threads")
        guard instructions.isAvailable else { throw .instructionSetUnavailable(instructions) }
        guard let pointer = ck_machine_create(instructions.code, Int32(threads)) else {
            throw .threadsUnavailable(threads)
        }
        self.instructions = instructions
        self.threads = threads
        self.pointer = pointer
    }

    deinit { ck_machine_destroy(pointer) }

    /// Physical cores that this process may use.
    static var physicalCores: Int { Int(ck_physical_cores()) }
}
