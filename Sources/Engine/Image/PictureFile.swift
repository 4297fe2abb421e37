// PictureFile.swift — a file that is safe to read as a picture: opened once, looked at, never waited for.

import Glibc

/// An open regular file of 1 byte to `ImageLimits.fileBytes`; everything later reads this descriptor, never the path,
/// so that the file that was checked is the file that is decoded.
final class PictureFile {
    let path: String
    let descriptor: Int32
    let byteCount: Int

    /// Opens `path` without blocking on FIFOs and devices.
    init(opening path: String) throws(ImageError) {
        // A name with a NUL would be cut there by the system, and another file be opened.
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw .cannotOpen(path: path, reason: "no file can have this name")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            throw .cannotOpen(path: path, reason: Self.reason(errno))
        }
        do throws(ImageError) {
            byteCount = try Self.checkedSize(of: descriptor, path: path)
        } catch {
            close(descriptor)
            throw error
        }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// The file's bytes, from its start.
    func bytes() throws(ImageError) -> [UInt8] {
        try Self.bytes(of: descriptor, path: path)
    }

    /// The bytes of the regular file behind `descriptor`, whose position is left as it was.
    static func bytes(of descriptor: Int32, path: String) throws(ImageError) -> [UInt8] {
        let byteCount = try checkedSize(of: descriptor, path: path)
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, filled in
            while filled < byteCount {
                let count = pread(
                    descriptor, buffer.baseAddress.map { $0 + filled }, byteCount - filled, off_t(filled))
                if count > 0 {
                    filled += count
                } else if count == 0 || errno != EINTR {
                    // A file that shrank since fstat ends early; the decoder then says that it is truncated.
                    failure = count == 0 ? 0 : errno
                    return
                }
            }
        }
        guard failure == 0 else { throw .cannotRead(path: path, reason: reason(failure)) }
        guard !bytes.isEmpty else { throw .empty(path: path) }
        return bytes
    }

    /// Size in bytes of the regular file behind `descriptor`, within the limits.
    private static func checkedSize(of descriptor: Int32, path: String) throws(ImageError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .cannotOpen(path: path, reason: reason(errno)) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw .notAFile(path: path, kind: "a folder")
        case S_IFIFO: throw .notAFile(path: path, kind: "a pipe")
        case S_IFSOCK: throw .notAFile(path: path, kind: "a socket")
        default: throw .notAFile(path: path, kind: "a device")
        }
        let bytes = Int(status.st_size)
        guard bytes > 0 else { throw .empty(path: path) }
        guard bytes <= ImageLimits.fileBytes else {
            throw .fileTooLarge(path: path, bytes: bytes, limit: ImageLimits.fileBytes)
        }
        return bytes
    }

    private static func reason(_ code: Int32) -> String {
        code == ENXIO ? "it is a socket or an absent device" : String(cString: strerror(code))
    }
}
