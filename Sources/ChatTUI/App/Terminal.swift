// Terminal.swift — the screen: draws what changed of a frame, waits, reads keys. The only file that calls CTerm.

import CTerm

public enum TerminalError: Error, Equatable, CustomStringConvertible {
    case notATerminal
    case unknownTerminal(String)
    case dumbTerminal(String)
    case systemFailure

    public var description: String {
        switch self {
        case .notATerminal:
            "standard input and output are not both a terminal; use `specchat ask` in pipes and scripts."
        case .unknownTerminal(let name):
            name.isEmpty
                ? "TERM is not set, so the terminal cannot be driven; set it (for example TERM=xterm-256color) "
                    + "or use `specchat ask`."
                : "no description of the terminal '\(name)' is installed; set TERM to one that is "
                    + "(for example xterm-256color) or install ncurses-term."
        case .dumbTerminal(let name):
            "the terminal '\(name)' cannot move its cursor; use a fuller terminal or `specchat ask`."
        case .systemFailure: "the terminal could not be set up: the system gave neither a pipe nor memory."
        }
    }
}

/// What ended a wait.
struct Wake: OptionSet, Sendable {
    let rawValue: UInt32
    static let input = Wake(rawValue: UInt32(CT_WAKE_INPUT.rawValue))
    static let posted = Wake(rawValue: UInt32(CT_WAKE_POSTED.rawValue))
    static let resized = Wake(rawValue: UInt32(CT_WAKE_RESIZE.rawValue))
    static let continued = Wake(rawValue: UInt32(CT_WAKE_CONTINUED.rawValue))
    static let suspend = Wake(rawValue: UInt32(CT_WAKE_SUSPEND.rawValue))
    static let interrupted = Wake(rawValue: UInt32(CT_WAKE_INTERRUPT.rawValue))
    static let terminated = Wake(rawValue: UInt32(CT_WAKE_TERMINATE.rawValue))
    static let hungUp = Wake(rawValue: UInt32(CT_WAKE_HANGUP.rawValue))
}

/// The terminal while the screen is up. There is one at a time, on one thread.
final class Terminal {
    /// A new one is drawn with the next frame.
    var theme: Theme {
        didSet { if theme != oldValue { drawn = nil } }
    }
    private let isUTF8: Bool
    /// What the screen holds, as far as we know.
    private var drawn: Frame?
    /// The picture that lies on the screen.
    private var sent: (area: Rectangle, picture: Picture)?
    private var mustResend = false

    /// The bytes that draw a picture and those that take it away, and which picture it is.
    struct Picture: Equatable {
        let photo: Int
        let bytes: [UInt8]
        let erase: [UInt8]

        static func == (a: Picture, b: Picture) -> Bool { a.photo == b.photo }
    }

    // MARK: Before the screen

    /// Call once, before anything asks for character sets.
    static func useLocale() { ct_use_locale() }

    static var isUTF8: Bool { ct_codeset_is_utf8() != 0 }

    /// Columns by which ncurses moves for one character and its marks; nil for what the C library does not know.
    static func width(of cluster: String) -> Int? {
        let width = Int(ct_width(cluster))
        return width < 0 ? nil : width
    }

    /// Why the screen could not come up; nil when it could.
    static func obstacle(terminalName: String) -> TerminalError? {
        switch UInt32(ct_check()) {
        case CT_OK.rawValue: nil
        case CT_NOT_A_TERMINAL.rawValue: .notATerminal
        case CT_UNKNOWN_TERMINAL.rawValue: .unknownTerminal(terminalName)
        case CT_DUMB_TERMINAL.rawValue: .dumbTerminal(terminalName)
        default: .systemFailure
        }
    }

    /// What the terminal answers to `query` within `milliseconds`.
    static func probe(_ query: String, milliseconds: Int) -> String {
        var answer = [CChar](repeating: 0, count: 4096)
        let count = ct_probe(query, &answer, answer.count, Int32(milliseconds))
        return String(decoding: answer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Pixels of the whole text area, when the terminal says.
    static var pixelSize: TerminalFacts.PixelSize? {
        let size = ct_size()
        guard size.pixel_width > 0, size.pixel_height > 0 else { return nil }
        return TerminalFacts.PixelSize(width: Int(size.pixel_width), height: Int(size.pixel_height))
    }

    /// Colours that the terminal's description promises; works without a screen.
    static var colors: Int { Int(ct_described_colors()) }

    /// Rows and columns of the window; works without a screen.
    static var windowSize: Size {
        let size = ct_size()
        return Size(rows: Int(size.window_rows), columns: Int(size.window_columns))
    }

    // MARK: The screen

    init(palette: Palette) throws(TerminalError) {
        guard UInt32(ct_start()) == CT_OK.rawValue else { throw .systemFailure }
        theme = Theme(.auto, palette: palette, background: .dark)
        isUTF8 = Terminal.isUTF8
    }

    /// Gives the terminal back. Nothing may be drawn after it.
    func close() {
        erasePicture()
        ct_stop()
    }

    var size: Size {
        let size = ct_size()
        return Size(rows: Int(size.rows), columns: Int(size.columns))
    }

    /// Adopts the window's new size.
    func resize() {
        ct_resize()
        forget()
    }

    func suspend() {
        erasePicture()
        ct_suspend()
        forget()
    }

    func resume() {
        ct_resume()
        forget()
    }

    /// Gives the terminal to another program until `takeBack`; nothing may be drawn meanwhile.
    func lend() {
        erasePicture()
        ct_lend()
    }

    func takeBack() {
        ct_take_back()
        resize()
    }

    /// The next frame is sent whole, whatever the screen may hold.
    func forget() {
        ct_clear()
        ct_forget()
        drawn = nil
        mustResend = true
    }

    // MARK: Drawing

    /// Brings the screen up to `frame`; `picture` is drawn into the frame's area for it.
    func draw(_ frame: Frame, picture: Picture?) {
        if let sent, mustResend || sent.area != frame.picture || sent.picture != picture { erasePicture() }
        mustResend = false
        var known: Frame?
        if let drawn, drawn.size == frame.size { known = drawn } else { ct_clear() }
        if let cursor = frame.cursor {
            ct_cursor(Int32(cursor.row), Int32(cursor.column))
        } else {
            ct_cursor(-1, 0)
        }
        ct_hold()
        for row in 0..<frame.size.rows where drawRow(row, of: frame, over: known) {
            // Where rows have moved together ncurses scrolls a part of the screen, and grows that part over rows that
            // have not moved: a picture in it would be torn. Row by row it finds nothing to scroll.
            if frame.picture != nil { ct_flush() }
        }
        ct_flush()
        ct_release()
        drawn = frame
        send(picture, into: frame.picture)
    }

    /// Stages what changed in the row; returns whether anything did.
    private func drawRow(_ row: Int, of frame: Frame, over known: Frame?) -> Bool {
        var column = 0
        var hasChanged = false
        while column < frame.size.columns {
            let cell = frame[row, column]
            if cell.width == 0 || known?[row, column] == cell {
                column += 1
                continue
            }
            // Plain text goes in runs; anything else cell by cell, so that a surprise in its width cannot spread.
            var text = cell.text
            var end = column + cell.width
            if cell.cluster.ascii != nil {
                while end < frame.size.columns, sameLook(frame[row, end], cell),
                    let next = frame[row, end].cluster.ascii
                {
                    text.unicodeScalars.append(Unicode.Scalar(next))
                    end += 1
                }
            }
            ct_draw(Int32(row), Int32(column), text, Int32(end - column), style(of: cell))
            column = end
            hasChanged = true
        }
        return hasChanged
    }

    private func sameLook(_ a: Cell, _ b: Cell) -> Bool {
        a.role == b.role && a.foreground == b.foreground && a.background == b.background
    }

    private func style(of cell: Cell) -> ct_style {
        let appearance = theme.appearance(of: cell)
        return ct_style(
            attributes: Int32(appearance.attributes.rawValue), foreground: appearance.foreground.map(Int32.init) ?? -1,
            background: appearance.background.map(Int32.init) ?? -1)
    }

    /// Writes the picture past ncurses, at its place, and puts the cursor back.
    private func send(_ picture: Picture?, into area: Rectangle?) {
        guard let picture, let area, sent == nil else { return }
        writeAtCrash(picture.erase)
        let before = Array("\u{1B}7\u{1B}[\(area.row + 1);\(area.column + 1)H".utf8)
        send(before + picture.bytes + Array("\u{1B}8".utf8))
        sent = (area, picture)
    }

    /// Takes the picture away, where the text that comes in its place would not.
    private func erasePicture() {
        if let sent, !sent.picture.erase.isEmpty { send(sent.picture.erase) }
        sent = nil
        writeAtCrash([])
    }

    /// What takes a picture away must be said even by a program that crashes: it would lie over the shell.
    private func writeAtCrash(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { ct_write_at_crash($0.baseAddress, $0.count) }
    }

    /// Sends the picture once more with the next frame.
    func resendPicture() { mustResend = true }

    // MARK: Waiting

    /// Waits for keys, signals or `Terminal.post`; nil waits for ever.
    func wait(milliseconds: Int?) -> Wake { Wake(rawValue: UInt32(ct_wait(Int32(milliseconds ?? -1)))) }

    /// Waits for signals and `Terminal.post` while another program reads the keys.
    func waitForSignals(milliseconds: Int) -> Wake { Wake(rawValue: UInt32(ct_wait_signals(Int32(milliseconds)))) }

    /// Writes bytes that move no cursor and draw nothing.
    func send(_ bytes: [UInt8]) { bytes.withUnsafeBytes { ct_write($0.baseAddress, $0.count) } }

    /// Ends a wait from any thread.
    static func post() { ct_post() }

    /// Everything that can be read now.
    func read() -> [RawInput] {
        var inputs: [RawInput] = []
        var code: Int32 = 0
        while true {
            switch UInt32(ct_read(&code)) {
            case CT_READ_CHARACTER.rawValue:
                if let scalar = Unicode.Scalar(UInt32(code)) { inputs.append(.scalar(scalar)) }
            case CT_READ_KEY.rawValue:
                if let input = Terminal.input(forKey: UInt32(code)) { inputs.append(input) }
            default: return inputs
            }
        }
    }

    private static func input(forKey code: UInt32) -> RawInput? {
        let first = CT_KEY_F1.rawValue
        if code >= first, code < first + 12 { return .key(.function(Int(code - first) + 1)) }
        switch code {
        case CT_KEY_PASTE_BEGIN.rawValue: return .pasteBegin
        case CT_KEY_PASTE_END.rawValue: return .pasteEnd
        default: return keys[code].map { .key($0) }
        }
    }

    private static let keys: [UInt32: Key] = [
        CT_KEY_UP.rawValue: .up, CT_KEY_DOWN.rawValue: .down, CT_KEY_LEFT.rawValue: .left,
        CT_KEY_RIGHT.rawValue: .right, CT_KEY_HOME.rawValue: .home, CT_KEY_END.rawValue: .end,
        CT_KEY_PAGE_UP.rawValue: .pageUp, CT_KEY_PAGE_DOWN.rawValue: .pageDown,
        CT_KEY_BACKSPACE.rawValue: .backspace, CT_KEY_DELETE.rawValue: .delete, CT_KEY_ENTER.rawValue: .enter,
        CT_KEY_BACK_TAB.rawValue: .backTab, CT_KEY_WORD_LEFT.rawValue: .wordLeft,
        CT_KEY_WORD_RIGHT.rawValue: .wordRight,
    ]
}
