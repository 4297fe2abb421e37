// SystemReason.swift — why the system refused something, in its own words. For messages about files.

import Foundation

/// The system's words for a failed call ("No space left on device"), without Foundation's around them; for an error of
/// another kind its description.
public func systemReason(_ error: any Error) -> String {
    // What lies below is a Swift error, which is no NSError until it is asked to be one.
    let below = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
    let cause = (below ?? error) as NSError
    switch cause.domain {
    case NSPOSIXErrorDomain: return String(cString: strerror(Int32(cause.code)))
    case NSCocoaErrorDomain: return cause.localizedDescription
    default: return "\(error)"
    }
}
