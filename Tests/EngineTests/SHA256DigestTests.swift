import Engine
import Foundation
import Testing

@Suite struct `SHA-256` {
    /// The examples of FIPS 180-4, and the empty text.
    @Test(arguments: [
        ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
    func `gives the digests of the standard`(text: String, times: Int, digest: String) throws {
        let text = String(repeating: text, count: times)
        #expect(SHA256Digest(of: text.utf8).hexadecimal == digest)
        #expect(SHA256Digest(of: Data(text.utf8)).hexadecimal == digest)
    }

    @Test func `of pieces equals that of the whole`() {
        let bytes = Array("the quick brown fox".utf8)
        for cut in 0...bytes.count {
            var hasher = SHA256Hasher()
            hasher.update(bytes[..<cut])
            hasher.update(bytes[cut...])
            #expect(hasher.finish() == SHA256Digest(of: bytes))
        }
    }

    @Test func `of a file equals that of its bytes`() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("specchat-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        for count in [0, 1, 700_001] {
            let bytes = Data((0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) })
            try bytes.write(to: file)
            #expect(try SHA256Digest(ofFile: file.path) == SHA256Digest(of: bytes))
        }
    }

    @Test func `of what cannot be read is an error that says what to do`() {
        #expect {
            try SHA256Digest(ofFile: "/no/such/file")
        } throws: { error in
            "\(error)"
                == "cannot read /no/such/file: No such file or directory. Check that it is a file and that you may read it."
        }
        #expect(throws: SHA256Error.unreadable(path: "/", reason: "Is a directory")) { try SHA256Digest(ofFile: "/") }
    }

    @Test func `survives JSON as its digits, and nothing else does`() throws {
        let digest = SHA256Digest(of: "abc".utf8)
        let json = try JSONEncoder().encode([digest])
        #expect(String(decoding: json, as: UTF8.self) == "[\"\(digest.hexadecimal)\"]")
        #expect(try JSONDecoder().decode([SHA256Digest].self, from: json) == [digest])
        for wrong in ["", "abc", String(repeating: "g", count: 64), String(repeating: "+1", count: 32)] {
            #expect(SHA256Digest(hexadecimal: wrong) == nil)
        }
    }
}
