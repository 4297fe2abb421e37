import Testing

@testable import Engine

@Suite struct `JSON text` {
    @Test(arguments: [
        ("{\"a\":[1,-2.5e1,true,null,\"x\\u00e9\\ud83d\\ude00\\n\"]}", 7), ("[]", 1), (" \"\" ", 1), ("0", 1),
    ])
    func `valid text is read`(text: String, count: Int) throws {
        _ = try JSONReader.read(Array(text.utf8), limits: .init(values: count))
        #expect(throws: JSONError.self) { try JSONReader.read(Array(text.utf8), limits: .init(values: count - 1)) }
    }

    @Test func `values are what the text spells`() throws {
        let value = try JSONReader.read(Array("{\"a\":[1,-2.5e1,\"\\u00e9\\ud83d\\ude00\\n\"],\"\u{212A}\":2}".utf8))
        let list = try #require(value["a"]?.list)
        #expect(list[0].integer == 1 && list[1].number == -25 && list[2].text == "é😀\n")
        // The Kelvin sign looks equal to a K, and Swift says so; a file means another name.
        #expect(value["K"] == nil && value["\u{212A}"]?.integer == 2)
    }

    @Test(arguments: [
        "", "{", "[1", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "01", "1.", "-", "+1", "1e", "\"\\x\"",
        "\"\\ud83d\"",
        "\"\\ud83dx\"", "\"a", "\"\u{1}\"", "nul", "truex", "[] []", "\"\\u12", "{\"a\":1,\"a\":2}", "'a'",
    ])
    func `anything else is refused in one line`(text: String) {
        #expect {
            try JSONReader.read(Array(text.utf8))
        } throws: { error in
            let message = "\(error)"
            return !message.isEmpty && message.count < 200 && !message.contains("\n")
        }
    }

    @Test func `nesting has a limit, and a million brackets are no harm`() {
        let bytes = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throws: JSONError(fault: .tooDeep(64), offset: 64)) { try JSONReader.read(bytes) }
        #expect(throws: JSONError(fault: .notUTF8, offset: 0)) { try JSONReader.read([0x22, 0xFF, 0x22]) }
    }
}
