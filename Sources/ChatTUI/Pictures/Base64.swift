// Base64.swift — bytes as text, for the escape sequences that carry files.

import Foundation

enum Base64 {
    static func encode(_ bytes: [UInt8]) -> [UInt8] { Array(Data(bytes).base64EncodedData()) }
}
