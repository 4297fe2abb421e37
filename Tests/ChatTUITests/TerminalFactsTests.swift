// TerminalFactsTests.swift — what terminals answer, and what is concluded from it.

import Engine
import Testing

@testable import ChatTUI

struct `Terminal answers` {
    private func facts(
        _ answer: String, pixels: TerminalFacts.PixelSize? = nil, palette: Palette = .full, isUTF8: Bool = true,
        wish: ImageProtocol = .auto, _ environment: [String: String] = ["TERM": "xterm-256color"]
    ) -> TerminalFacts {
        var facts = TerminalFacts(environment: environment)
        _ = facts.probe.read(answer)
        facts.pixels = pixels
        facts.palette = palette
        facts.isUTF8 = isUTF8
        facts.wish = wish
        return facts
    }

    private let kitty = "\u{1B}P>|kitty(0.35.2)\u{1B}\\\u{1B}_Gi=31;OK\u{1B}\\\u{1B}[?62;c"
    private let wezTerm = "\u{1B}P>|WezTerm 20240203\u{1B}\\\u{1B}_Gi=31;OK\u{1B}\\\u{1B}[?65;4;6;18;22c"
    private let iTerm = "\u{1B}P>|iTerm2 3.5.0\u{1B}\\\u{1B}]1337;Capabilities=T3LrMSc7UUwFP\u{1B}\\\u{1B}[?62;4c"

    @Test func `leave what was typed ahead to the composer`() {
        var probe = TerminalProbe()
        #expect(probe.read("hé\n\u{1B}[?63;4c\u{1B}]11;rgb:00/00/00\u{07}x") == "hé\rx")
        #expect(probe.hasSixel && probe.backgroundColor == [0, 0, 0])
    }

    @Test func `of xterm as a VT340 allow sixels of whole cells`() {
        let facts = facts(
            "\u{1B}[?2;0;484;316S\u{1B}[?63;1;2;4;6;9;15;22c", pixels: .init(width: 484, height: 316))
        let limits = PixelLimits(cellWidth: 6, cellHeight: 13, maximumWidth: 484, maximumHeight: 316)
        #expect(facts.pictureStyle == .pixels(.sixel, limits))
    }

    @Test func `without attribute 4 mean half blocks, and signs without colours`() {
        let answer = "\u{1B}[?64;1;2;6;9;15c"
        #expect(facts(answer).probe.isAnswered && !facts(answer).probe.hasSixel)
        #expect(facts(answer).pictureStyle == .halfBlocks)
        #expect(facts(answer, palette: .eight).pictureStyle == .signs)
        #expect(facts(answer, isUTF8: false).pictureStyle == .signs)
    }

    @Test func `do not count the class as an attribute`() {
        #expect(!facts("\u{1B}[?4;1c").probe.hasSixel)
    }

    @Test func `prefer the reported cell and cap the picture`() {
        let facts = facts("\u{1B}[6;19;10t\u{1B}[?63;4c", pixels: .init(width: 800, height: 456))
        let limits = PixelLimits(cellWidth: 10, cellHeight: 19, maximumWidth: 1000, maximumHeight: 1000)
        #expect(facts.pictureStyle == .pixels(.sixel, limits))
    }

    @Test func `choose the protocol that the terminal draws best`() {
        #expect(facts(kitty).ways == [.kitty])
        #expect(facts(wezTerm).ways == [.iterm2, .sixel])
        #expect(facts(iTerm).ways == [.iterm2, .sixel])
        #expect(facts("\u{1B}[?1;2c").ways == [])
        #expect(facts("\u{1B}_Gi=31;EINVAL:no\u{1B}\\\u{1B}[?1;2c").ways == [])
    }

    @Test(arguments: [
        ["TERM": "xterm-256color", "TMUX": "/tmp/x"], ["TERM": "screen-256color"], ["TERM": "tmux-256color"],
        ["TERM": "xterm", "ZELLIJ": "0"],
    ])
    func `through a multiplexer count only for sixels`(environment: [String: String]) {
        #expect(facts(kitty, environment).ways == [])
        #expect(facts(iTerm, environment).ways == [.sixel])
        #expect(!facts("", environment).query.contains("_G"))
    }

    @Test(arguments: ["linux", "vt100", "vt220", "ansi", "cons25"])
    func `are not asked for in strings that a console would print`(name: String) {
        let query = facts("", ["TERM": name]).query
        #expect(!query.contains("_G") && !query.contains("]11") && query.hasSuffix("\u{1B}[c"))
        #expect(facts("", ["TERM": "vte-256color"]).query.contains("]11"))
    }

    @Test func `give way to the user's wish`() {
        #expect(facts(iTerm, wish: .none).pictureStyle == .none)
        #expect(facts(iTerm, wish: .blocks).pictureStyle == .halfBlocks)
        #expect(facts(iTerm, wish: .ascii).pictureStyle == .signs)
        for (wish, way) in [(ImageProtocol.sixel, PixelWay.sixel), (.kitty, .kitty), (.iterm2, .iterm2)] {
            guard case .pixels(way, _) = facts("", wish: wish).pictureStyle else {
                Issue.record("\(wish) was not heeded")
                continue
            }
        }
    }

    @Test(
        arguments: [
            ("\u{1B}]11;rgb:ffff/ffff/ffff\u{1B}\\", nil, Background.light),
            ("\u{1B}]11;rgb:12/16/1c\u{07}", nil, .dark),
            ("\u{1B}]11;rgba:fd/f6/e3/ff\u{07}", nil, .light), ("", "0;15", .light), ("", "15;0", .dark),
            ("", "0;default;15", .light), ("", "15;8", .dark), ("", "0;7", .light), ("", nil, .dark),
            ("\u{1B}]11;rgb:zz/1/2\u{07}", "0;15", .light), ("\u{1B}]11;rgb:0000/0000/0000\u{07}", "0;15", .dark),
        ] as [(String, String?, Background)])
    func `tell the background, and COLORFGBG where they do not`(answer: String, variable: String?, wanted: Background) {
        #expect(facts(answer, ["COLORFGBG": variable].compactMapValues { $0 }).background == wanted)
    }

    @Test func `that come late in pieces are never typed`() {
        var reader = KeyReader()
        var inputs: [Input] = []
        for piece in ["\u{1B}]11;rgb:ff", "ff/0/0\u{1B}", "\\a\u{1B}_Gi=31;", "OK\u{1B}\\"] {
            for scalar in piece.unicodeScalars { inputs += reader.feed(.scalar(scalar)) }
            inputs += reader.pause()
        }
        #expect(inputs == [.report("]11;rgb:ffff/0/0"), .key(.character("a")), .report("_Gi=31;OK")])
    }

    @Test func `are told from Alt with a bracket, a P or an underscore`() {
        for sign in ["]", "P", "_"] as [Unicode.Scalar] {
            var reader = KeyReader()
            var inputs = reader.feed(.scalar("\u{1B}")) + reader.feed(.scalar(sign))
            inputs += reader.pause() + reader.feed(.scalar("a"))
            #expect(inputs == [.key(.alt(Character(sign))), .key(.character("a"))])
        }
    }
}

struct `Colours` {
    @Test(
        arguments: [
            (256, ColorChoice.auto, [:], Palette.full), (16, .auto, [:], .sixteen), (8, .auto, [:], .eight),
            (0, .auto, [:], .none), (0, .always, [:], .none), (256, .never, [:], .none),
            (256, .auto, ["NO_COLOR": "1"], .none), (256, .auto, ["NO_COLOR": ""], .full),
            (256, .auto, ["NO_COLOR": "1", "CLICOLOR_FORCE": "1"], .none), (256, .always, ["NO_COLOR": "1"], .full),
            (256, .auto, ["CLICOLOR": "0"], .none), (256, .auto, ["CLICOLOR": "0", "CLICOLOR_FORCE": "1"], .full),
            (256, .auto, ["CLICOLOR": "0", "CLICOLOR_FORCE": "0"], .none), (16_777_216, .auto, [:], .eight),
        ] as [(Int, ColorChoice, [String: String], Palette)])
    func `follow flag, NO_COLOR and CLICOLOR_FORCE, in this order`(
        colors: Int, wish: ColorChoice, environment: [String: String], wanted: Palette
    ) {
        #expect(Palette(colors: colors, wish: wish, environment: environment) == wanted)
    }
}

struct `Picture protocols` {
    /// Noise, which no encoder makes small.
    private let image = PixelImage(
        width: 80, height: 60,
        pixels: (0..<14_400).map { index in
            let mixed = (UInt64(index) &+ 1) &* 0x9E37_79B9_7F4A_7C15
            return UInt8(truncatingIfNeeded: (mixed ^ (mixed >> 29)) &* 0xBF58_476D_1CE4_E5B9 >> 40)
        },
        source: .init(name: "p", width: 80, height: 60))
    private let cells = Size(rows: 3, columns: 8)

    private func text(_ bytes: [UInt8]?) -> String { String(decoding: bytes ?? [], as: UTF8.self) }

    @Test func `of kitty send a PNG in chunks that name it once, and delete it by its number`() throws {
        let drawn = text(KittyPictures().draw(image, over: cells, id: 7))
        let chunks = drawn.split(separator: "\u{1B}\\").map(String.init)
        #expect(chunks.count > 1 && chunks.allSatisfy { $0.hasPrefix("\u{1B}_G") && $0.count < 4300 })
        #expect(chunks[0].contains("a=T,f=100,t=d,q=2,C=1,i=1543503879,p=1,c=8,r=3,m=1;iVBORw0KGgo"))
        #expect(chunks.last?.hasPrefix("\u{1B}_Gm=0;") == true)
        #expect(text(KittyPictures().erase(id: 7)) == "\u{1B}_Ga=d,d=I,i=1543503879,q=2\u{1B}\\")
    }

    @Test func `of iTerm2 send a PNG of so many cells`() {
        let drawn = text(ITermPictures().draw(image, over: cells, id: 7))
        #expect(drawn.hasPrefix("\u{1B}]1337;File=inline=1;size=") && drawn.hasSuffix("\u{07}"))
        #expect(drawn.contains(";width=8;height=3;preserveAspectRatio=0;") && drawn.contains(":iVBORw0KGgo"))
        #expect(ITermPictures().erase(id: 7).isEmpty)
    }

    @Test func `of sixels begin and end as the terminal expects`() {
        let drawn = text(SixelPictures().draw(image, over: cells, id: 7))
        #expect(drawn.hasPrefix("\u{1B}P") && drawn.hasSuffix("\u{1B}\\"))
    }
}
