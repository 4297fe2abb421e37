// ChildProcess.swift — another program, started without a shell and waited for without blocking. For editor, clipboard.

import Foundation
import Glibc

struct ChildProcess {
    let id: pid_t

    enum Ending: Equatable {
        case status(Int32)
        case signal(Int32)
        /// Not an ending: it was stopped, and may go on.
        case stopped
    }

    /// Starts the program that PATH has under the first word.
    ///
    /// - Parameters:
    ///   - input: the descriptor that becomes its standard input; absent: ours.
    ///   - isSilent: sends its output and errors nowhere, and gives it a process group of its own, so that no key of
    ///     the terminal reaches it.
    /// - Returns: the child, or the system's reason why there is none.
    static func start(
        _ words: [String], input: Int32? = nil, isSilent: Bool = false
    ) -> Result<ChildProcess, StartFailure> {
        precondition(!words.isEmpty, "ChildProcess: a program needs a name")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input { posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO) }
        if isSilent {
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
            posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // What we ignore or block is none of its business: it begins as from a shell.
        var every = sigset_t()
        sigfillset(&every)
        posix_spawnattr_setsigdefault(&attributes, &every)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        let group = isSilent ? POSIX_SPAWN_SETPGROUP : 0
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | group))
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var id: pid_t = 0
        let status = posix_spawnp(&id, words[0], &actions, &attributes, arguments, environ)
        guard status == 0 else { return .failure(StartFailure(reason: String(cString: strerror(status)))) }
        return .success(ChildProcess(id: id))
    }

    struct StartFailure: Error, Equatable {
        let reason: String
    }

    /// How it ended; nil while it runs.
    func poll() -> Ending? {
        var status: Int32 = 0
        guard waitpid(id, &status, WNOHANG | WUNTRACED) != 0 else { return nil }
        let signal = status & 0x7F
        // The macros of wait.h, which Swift does not see.
        if signal == 0x7F { return .stopped }
        return signal == 0 ? .status((status >> 8) & 0xFF) : .signal(signal)
    }

    /// Waits at most so long; nil when it still runs then.
    func wait(milliseconds: Int) -> Ending? {
        for _ in 0..<max(1, milliseconds / 10) {
            if let ending = poll() { return ending }
            usleep(10_000)
        }
        return poll()
    }

    func send(_ signal: Int32) { kill(id, signal) }
}
