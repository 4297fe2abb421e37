// DecodeWorker.swift — decoding a stranger's file in a child process that can cost little and reach nothing.

import Foundation
import Glibc
import Synchronization

/// The same program, started again to decode one picture: file on standard input, pixels on standard output.
///
/// A crash, an endless loop or a runaway allocation in a decoder then costs one picture and not the conversation.
/// The child gets an open file (and its path for messages only), a pipe instead of the terminal, and limits on memory
/// and time.
public enum DecodeWorker {
    static let argument = "--decode-picture"
    /// What a child says before it touches the file, so that a program that is none of ours is told apart from a
    /// decoder that died.
    static let greeting = Array("specchat picture 1\n".utf8)
    static let seconds = 15
    private static let greetingSeconds = 5
    private static let processorSeconds: rlim_t = 10
    /// Enough for 200 million pixels twice (as decoded, and turned upright) and the program itself.
    private static let memoryBytes: rlim_t = 2_500_000_000

    /// Set once, by the one program that is known to answer to `argument`.
    private static let isOffered = Atomic(false)

    /// To be called first thing in `main`. In a child it decodes and returns the status to exit with; otherwise it
    /// returns nil, and from then on `PixelImage.read` decodes in children of this program.
    public static func serve(ifAskedBy arguments: [String]) -> Int32? {
        guard arguments.count == 3, arguments[1] == argument else {
            isOffered.store(true, ordering: .relaxed)
            return nil
        }
        return serve(path: arguments[2])
    }

    /// This program, where it is known to serve.
    static var thisExecutable: String? { isOffered.load(ordering: .relaxed) ? "/proc/self/exe" : nil }

    // MARK: The parent's side

    /// The picture in `file`, decoded by a child of `executable`; nil when that cannot be had as a worker.
    static func decode(
        _ file: PictureFile, with executable: String, within seconds: Int = seconds
    ) throws(ImageError) -> PixelImage? {
        guard let child = WorkerProcess(executable, arguments: [argument, file.path], input: file.descriptor) else {
            return nil
        }
        let start = ContinuousClock.now
        child.deadline = start + .seconds(min(seconds, greetingSeconds))
        guard case .bytes(let greeted) = child.read(greeting.count), greeted == greeting else { return nil }
        child.deadline = start + .seconds(seconds)
        switch try Header(message(9, from: child, file.path, seconds)) {
        case .picture(let width, let height)? where ImageLimits.allow(width: width, height: height):
            let pixels = try message(width * height * 3, from: child, file.path, seconds)
            let source = PixelImage.Source(name: PixelImage.name(of: file.path), width: width, height: height)
            return PixelImage(width: width, height: height, pixels: pixels, source: source)
        case .failure(let count)? where count < 1 << 16:
            let report = try message(count, from: child, file.path, seconds)
            guard let error = try? JSONDecoder().decode(ImageError.self, from: Data(report)) else { fallthrough }
            throw error
        default:
            throw .decoderDied(path: file.path, reason: "it gave no sensible answer")
        }
    }

    private static func message(
        _ count: Int, from child: WorkerProcess, _ path: String, _ seconds: Int
    ) throws(ImageError) -> [UInt8] {
        switch child.read(count) {
        case .bytes(let bytes): return bytes
        case .late: throw .tookTooLong(path: path, seconds: seconds)
        case .ended:
            switch child.end() {
            case .signal(SIGXCPU): throw .tookTooLong(path: path, seconds: Int(processorSeconds))
            case .signal(let number): throw .decoderDied(path: path, reason: "signal \(number)")
            case .status(let number): throw .decoderDied(path: path, reason: "exit status \(number)")
            case .unknown: throw .decoderDied(path: path, reason: "no reason known")
            }
        }
    }

    // MARK: The child's side

    private static func serve(path: String) -> Int32 {
        // Whatever else the parent had open is none of a decoder's business.
        for descriptor in Int32(3)..<1024 { close(descriptor) }
        limit(RLIMIT_AS, to: memoryBytes)
        limit(RLIMIT_CPU, to: processorSeconds)
        limit(RLIMIT_CORE, to: 0)
        limit(RLIMIT_FSIZE, to: 0)
        guard write(greeting) else { return 1 }
        do throws(ImageError) {
            let image = try ImageDecoder.decode(try PictureFile.bytes(of: STDIN_FILENO, path: path), path: path)
            let header = Header.picture(width: image.width, height: image.height)
            return write(header.bytes) && write(image.pixels) ? 0 : 1
        } catch {
            guard let report = try? JSONEncoder().encode(error) else { return 1 }
            return write(Header.failure(count: report.count).bytes) && write([UInt8](report)) ? 0 : 1
        }
    }

    private static func limit(_ resource: __rlimit_resource, to value: rlim_t) {
        var limits = rlimit(rlim_cur: value, rlim_max: value)
        setrlimit(__rlimit_resource_t(resource.rawValue), &limits)
    }

    private static func write(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var at = 0
            while at < buffer.count {
                let count = Glibc.write(STDOUT_FILENO, buffer.baseAddress.map { $0 + at }, buffer.count - at)
                if count > 0 { at += count } else if errno != EINTR { return false }
            }
            return true
        }
    }

    /// The first nine bytes of an answer: what follows, and how much.
    private enum Header {
        case picture(width: Int, height: Int)
        case failure(count: Int)

        init?(_ bytes: [UInt8]) {
            let numbers = [1, 5].map { at in (0..<4).reduce(0) { $0 | Int(bytes[at + $1]) << ($1 * 8) } }
            switch bytes[0] {
            case 0: self = .picture(width: numbers[0], height: numbers[1])
            case 1: self = .failure(count: numbers[0])
            default: return nil
            }
        }

        var bytes: [UInt8] {
            let (kind, numbers): (UInt8, [Int]) =
                switch self {
                case .picture(let width, let height): (0, [width, height])
                case .failure(let count): (1, [count, 0])
                }
            return [kind] + numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
        }
    }
}

/// A child process whose standard output is read until a deadline; it is killed and reaped with this object.
private final class WorkerProcess {
    enum Reading {
        case bytes([UInt8])
        /// The child closed its end before all of it came.
        case ended
        case late
    }

    enum Ending {
        case status(Int32)
        case signal(Int32)
        case unknown
    }

    var deadline = ContinuousClock.now
    private let process: pid_t
    private let output: Int32
    private var isReaped = false

    /// Nil when the program cannot be started.
    init?(_ executable: String, arguments: [String], input: Int32) {
        guard let pipe = Self.makePipe() else { return nil }
        defer { close(pipe.write) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, pipe.write, STDOUT_FILENO)
        // Decoders complain on standard error, which may be the screen.
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let variables = ProcessInfo.processInfo.environment
        let words = Self.cStrings([executable] + arguments)
        let environment = Self.cStrings(variables.map { "\($0)=\($1)" })
        defer { (words + environment).forEach { free($0) } }
        var process: pid_t = 0
        guard posix_spawn(&process, executable, &actions, &attributes, words, environment) == 0 else {
            close(pipe.read)
            return nil
        }
        self.process = process
        output = pipe.read
    }

    deinit {
        if !isReaped {
            // Done with it, however far it came.
            kill(process, SIGKILL)
            _ = end()
        }
        close(output)
    }

    /// The next `count` bytes.
    func read(_ count: Int) -> Reading {
        var isLate = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let left = deadline - ContinuousClock.now
                let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
                guard milliseconds > 0 else {
                    isLate = true
                    return
                }
                var waiting = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
                guard poll(&waiting, 1, Int32(clamping: milliseconds)) > 0 else { continue }
                let got = Glibc.read(output, buffer.baseAddress.map { $0 + filled }, count - filled)
                if got > 0 { filled += got } else if got == 0 || errno != EINTR { return }
            }
        }
        if bytes.count == count { return .bytes(bytes) }
        return isLate ? .late : .ended
    }

    /// Waits for the child, which has closed its output, until the deadline, then kills it; says how it ended.
    func end() -> Ending {
        isReaped = true
        var status: Int32 = 0
        var options = WNOHANG
        while true {
            let ended = waitpid(process, &status, options)
            if ended == process { break }
            guard ended == 0 || errno == EINTR else { return .unknown }
            if ended == 0, ContinuousClock.now < deadline {
                usleep(500)
            } else if ended == 0 {
                kill(process, SIGKILL)
                options = 0
            }
        }
        let signal = status & 0x7F
        return signal == 0 ? .status(status >> 8 & 0xFF) : .signal(signal)
    }

    /// A pipe whose ends no other child inherits and that lie clear of the standard streams.
    private static func makePipe() -> (read: Int32, write: Int32)? {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        let moved = ends.map { fcntl($0, F_DUPFD_CLOEXEC, 3) }
        ends.forEach { close($0) }
        guard moved[0] >= 0, moved[1] >= 0 else {
            moved.filter { $0 >= 0 }.forEach { close($0) }
            return nil
        }
        return (moved[0], moved[1])
    }

    private static func cStrings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        texts.map { strdup($0) } + [nil]
    }
}
