// DoctorReportTests.swift — what the doctor says of terminals that are known.

import Testing

@testable import ChatTUI

struct `The doctor` {
    private func lines(
        _ answer: String, _ environment: [String: String], _ change: (inout TerminalFacts) -> Void = { _ in }
    )
        -> [String: String]
    {
        var facts = TerminalFacts(environment: environment)
        _ = facts.probe.read(answer)
        facts.colors = 256
        facts.palette = .full
        change(&facts)
        let report = DoctorReport(
            facts, theme: .auto, color: .auto,
            settingsFile: (path: "/home/me/.config/specchat/config.toml", exists: false))
        return Dictionary(uniqueKeysWithValues: report.findings.map { ($0.name, $0.text) })
    }

    @Test func `names xterm with sixels and says why`() {
        let lines = lines(
            "\u{1B}]11;rgb:ffff/ffff/ffff\u{1B}\\\u{1B}P>|XTerm(379)\u{1B}\\\u{1B}[?63;1;2;4c",
            ["TERM": "xterm-256color", "LANG": "C.UTF-8"]
        ) { $0.pixels = .init(width: 484, height: 316) }
        #expect(lines["terminal"] == "TERM is xterm-256color, calls itself XTerm(379), answers questions")
        #expect(lines["size"] == "80x24 cells, 484x316 pixels, a cell is 6x13 pixels, from the window's size")
        #expect(lines["characters"] == "UTF-8 (LANG=C.UTF-8)")
        #expect(lines["colours"] == "256 (the description of the terminal has 256, color is auto)")
        #expect(lines["background"] == "light (the terminal says red, green, blue are 100, 100, 100 %)")
        #expect(lines["theme"] == "auto, which is light here")
        #expect(lines["pictures"] == "sixel, up to 1000x1000 pixels (chosen)")
        #expect(lines["  sixel"] == "yes: attribute 4 among its device attributes")
        #expect(lines["  kitty"] == "no: no answer to a query")
        #expect(lines["settings"]?.hasSuffix("config.toml (not there, so all is as by default)") == true)
    }

    @Test func `says what stands in the way`() {
        let tmux = lines("\u{1B}[?1;2c", ["TERM": "screen", "TMUX": "/tmp/t", "NO_COLOR": "1"]) { $0.palette = .none }
        #expect(tmux["terminal"]?.contains("inside tmux") == true)
        #expect(tmux["  kitty"] == "no: tmux is in between")
        #expect(tmux["colours"]?.hasPrefix("none (") == true && tmux["colours"]?.contains("NO_COLOR=1") == true)
        let silent = lines("", ["TERM": "xterm"])
        #expect(silent["terminal"]?.contains("did not answer") == true)
        #expect(silent["  sixel"] == "no: the terminal did not answer")
        let refusing = lines("\u{1B}_Gi=31;ENOTSUP:x\u{1B}\\\u{1B}[?1c", ["TERM": "x"])
        #expect(refusing["  kitty"] == "no: it answered ENOTSUP:x")
    }

    @Test func `is shown over the panes`() {
        var state = Samples.answering()
        _ = state.showDoctor()
        let lines = screen(state, 80, 24)
        #expect(lines.contains { $0.contains("pictures     half blocks") || $0.contains("pictures     ASCII signs") })
    }
}
