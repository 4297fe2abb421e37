// ScrollTests.swift — the window onto a conversation: where it stands, what moves it, what it costs.

import Engine
import Foundation
import Testing

@testable import ChatTUI

struct `The transcript's window` {
    /// A chat of so many answered questions, each answer with all that Markdown has.
    private func conversation(_ count: Int) -> AppState {
        var state = AppState()
        state.isLoaded = true
        state.tree.size = .off
        let filler = String(repeating: "Some words about what the picture shows, **and more** of `them`. ", count: 12)
        for number in 1...count {
            state.addTurn(.question(.sent), "Question \(number)?")
            state.addTurn(
                .answer(.complete), "# Answer \(number)\n\n\(filler)\n\n- one\n- two\n\n```\ncode \(number)\n```\n")
        }
        return state
    }

    private func shown(_ state: AppState) -> String { render(state, size: state.size).lines.joined(separator: "\n") }

    @Test func `stays where the reader has put it while text comes, and says so`() {
        var state = conversation(20)
        state.scrollTranscript(pages: -2)
        let before = shown(state)
        #expect(before.contains("↓ more"))
        state.addTurn(.answer(.streaming), "New text")
        let after = shown(state)
        #expect(after.contains("↓ new"))
        // All but the mark's row is the same.
        #expect(zip(before.split(separator: "\n"), after.split(separator: "\n")).filter { $0 != $1 }.count == 1)
        state.scrollTranscript(pages: 5)
        #expect(state.scroll == .following && shown(state).contains("New text"))
    }

    @Test func `shows every line on the way up and the same ones on the way down`() {
        var state = conversation(30)
        var up = [shown(state)]
        while state.scroll != .held(turn: 0, line: 0), up.count < 200 {
            state.scrollTranscript(pages: -1)
            up.append(shown(state))
        }
        for number in 1...30 { #expect(up.contains { $0.contains("Question \(number)?") && $0.contains("you") }) }
        var down = 0
        while state.scroll != .following, down < 200 {
            state.scrollTranscript(pages: 1)
            down += 1
        }
        #expect(down <= up.count)
    }

    @Test func `keeps the reader in the same turn when the window is resized`() {
        var state = conversation(50)
        for _ in 0..<12 { state.scrollTranscript(pages: -1) }
        guard case .held(let turn, _) = state.scroll else {
            Issue.record("the window is not held")
            return
        }
        for size in [Size(rows: 40, columns: 120), Size(rows: 12, columns: 44), Size(rows: 24, columns: 80)] {
            _ = reduce(&state, .resized(size), at: 1)
            guard case .held(turn, let line) = state.scroll else {
                Issue.record("the reader was taken elsewhere at \(size)")
                return
            }
            #expect(line < Transcript(state, width: state.layout.transcript.columns).count(turn))
        }
    }

    @Test func `shows Markdown raw and styled again by a key`() {
        var state = conversation(1)
        #expect(shown(state).contains("╭─") && !shown(state).contains("# Answer"))
        _ = reduce(&state, .input(.key(.function(4))), at: 1)
        #expect(shown(state).contains("```") || shown(state).contains("**and more**"))
        _ = reduce(&state, .input(.key(.function(4))), at: 2)
        #expect(!shown(state).contains("**and more**"))
    }

    /// Processor time of this thread, which a busy machine does not lengthen.
    private var seconds: Double {
        var now = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
    }

    /// Benchmarks/README.md has the figures that this prints.
    @Test func `turns a page of two thousand turns as fast as one of ten, in little memory`() {
        func medianPage(of turns: Int) -> Double {
            var state = conversation(turns / 2)
            var times: [Double] = []
            for _ in 0..<60 {
                let start = seconds
                _ = reduce(&state, .input(.key(.pageUp)), at: 1)
                _ = render(state, size: state.size)
                times.append(seconds - start)
            }
            return times.sorted()[times.count / 2]
        }
        let (few, many) = (medianPage(of: 100), medianPage(of: 2000))
        var state = conversation(1000)
        let before = residentBytes
        while state.scroll != .held(turn: 0, line: 0) {
            state.scrollTranscript(pages: -1)
            _ = render(state, size: state.size)
        }
        let grown = residentBytes - before
        print("a page of 100 turns: \(few * 1000) ms; of 2000: \(many * 1000) ms; memory grown by \(grown >> 20) MiB")
        #expect(many < few * 3 + 0.002)
        #expect(grown < 100 << 20)
    }

    private var residentBytes: Int {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }
}

struct `Scrolling` {
    @Test func `holds its place while text arrives, and says that there is more`() {
        var driver = Driver.loaded()
        driver.ask("count")
        let lines = (1...60).map { "line \($0)" }.joined(separator: "\n")
        driver.send(.engine(.round(Samples.plain(index: 0), text: lines)))
        driver.press(.pageUp)
        let before = screen(driver.state, 80, 24)
        #expect(before[1].contains("line 36"))
        driver.send(.engine(.round(Samples.plain(index: 1), text: "\nline 61\nline 62")))
        let after = screen(driver.state, 80, 24)
        #expect(after[1] == before[1])
        #expect(after.contains { $0.contains("↓ new") })
        driver.press(.pageDown)
        driver.press(.pageDown)
        #expect(driver.state.scroll == .following)
        #expect(screen(driver.state, 80, 24).contains { $0.contains("line 62") })
    }
}
