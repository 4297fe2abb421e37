// PlainOutput.swift — the standard streams where there is no screen: every write may fail, and none may crash.

import Foundation

enum PlainOutput {
    /// Writes all of `text` to the standard output; returns why it could not.
    static func write(_ text: String) -> String? {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
            return nil
        } catch {
            return "cannot write to the standard output: \(reason(error))."
        }
    }

    /// The system's words for what went wrong with a file.
    static func reason(_ error: any Error) -> String {
        let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError ?? error as NSError
        return cause.domain == NSPOSIXErrorDomain ? String(cString: strerror(Int32(cause.code))) : "\(cause)"
    }

    /// Says something beside the answers. When even that cannot be written there is nobody left to tell.
    static func complain(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data("specchat: \(PlainText.safe(text))\n".utf8))
    }
}
