// ThemeTests.swift — colours by choice, by background, and without any.

import Engine
import Foundation
import Testing

@testable import ChatTUI

struct `A theme` {
    @Test func `follows the background when it is left to it`() {
        for role in Role.allCases {
            let cell = Cell(role: role)
            let (dark, light) = (
                Theme(.dark, palette: .full, background: .light), Theme(.light, palette: .full, background: .dark)
            )
            #expect(
                Theme(.auto, palette: .full, background: .dark).appearance(of: cell) == dark.appearance(of: cell)
                    && Theme(.auto, palette: .full, background: .light).appearance(of: cell)
                        == light.appearance(of: cell)
            )
        }
    }

    @Test func `of high contrast dims nothing and stands out from its ground`() {
        for (background, ground) in [(Background.dark, 0.0), (.light, 1.0)] {
            let theme = Theme(.highContrast, palette: .full, background: background)
            for role in Role.allCases where role != .photo {
                let look = theme.appearance(of: Cell(role: role))
                #expect(!look.attributes.contains(.dim))
                if let color = look.foreground { #expect(contrast(luminance(color), ground) >= 7, "\(role)") }
            }
        }
    }

    @Test func `of either kind is readable on its ground`() {
        for (choice, ground) in [(ThemeChoice.dark, 0.0), (.light, 1.0)] {
            let theme = Theme(choice, palette: .full, background: .dark)
            for role in Role.allCases where ![.photo, .border, .lane].contains(role) {
                if let color = theme.appearance(of: Cell(role: role)).foreground {
                    #expect(contrast(luminance(color), ground) >= 4.5, "\(choice) \(role) \(color)")
                }
            }
        }
    }

    @Test func `is changed by its command, and by nothing that is no theme`() {
        var state = AppState()
        _ = state.changeTheme("light")
        #expect(state.look.theme == .light && state.hint == "theme: light")
        _ = state.changeTheme("pink")
        #expect(state.look.theme == .light && state.hint?.contains("high-contrast") == true)
        _ = state.changeTheme(nil)
        #expect(state.hint?.hasPrefix("theme: light") == true)
    }

    /// Everything that a colour says on some screen is said by a sign, a word or an attribute as well.
    @Test func `without colours still says what each token is, who speaks and what is selected`() {
        var state = Samples.answering()
        state.addTurn(.failure, "no such file")
        state.addTurn(.notice, "the context is nearly full")
        let frame = render(state, size: Size(rows: 24, columns: 80))
        let text = frame.lines.joined(separator: "\n")
        for mark in ["✓ ·and", "★ ·mug", "✗ ·the", "· ·cup", " you ", " bot ", " ! ", "✓ accepted", "★ target's own"] {
            #expect(text.contains(mark), "\(mark)")
        }
        let theme = Theme(.none, palette: .full, background: .dark)
        for cell in frame.cells {
            let look = theme.appearance(of: cell)
            #expect(look.foreground == nil && look.background == nil)
        }
        let emphasised: [Role] = [.strong, .emphasis, .strongEmphasis, .heading, .subheading, .link, .key, .cursor]
        for role in emphasised { #expect(!theme.appearance(of: Cell(role: role)).attributes.isEmpty, "\(role)") }
    }

    // MARK: The contrast of WCAG 2

    private func contrast(_ a: Double, _ b: Double) -> Double { (max(a, b) + 0.05) / (min(a, b) + 0.05) }

    private func luminance(_ entry: PaletteColor) -> Double {
        let levels = [0.0, 95, 135, 175, 215, 255]
        let parts: [Double]
        if entry >= 232 {
            parts = Array(repeating: Double(8 + (Int(entry) - 232) * 10), count: 3)
        } else {
            let index = Int(entry) - 16
            parts = [levels[index / 36], levels[index / 6 % 6], levels[index % 6]]
        }
        let linear = parts.map { part -> Double in
            let value = part / 255
            return value <= 0.03928 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

}
