// PictureProtocol.swift — the ways in which terminals take pixels. Chosen by TerminalFacts, used by PictureCache.

import Engine

/// A way of drawing pixels on a terminal, from the cursor's cell on. It leaves the cursor to its caller.
protocol PictureProtocol: Sendable {
    /// The bytes that draw `image` over so many cells; nil when it cannot be encoded.
    func draw(_ image: PixelImage, over cells: Size, id: Int) -> [UInt8]?
    /// The bytes that take the picture away; empty where the text that takes its place does.
    func erase(id: Int) -> [UInt8]
}

/// The protocols by name, as the user chooses among them.
enum PixelWay: String, Sendable, Equatable, CaseIterable {
    case sixel, kitty, iterm2

    var drawing: any PictureProtocol {
        switch self {
        case .sixel: SixelPictures()
        case .kitty: KittyPictures()
        case .iterm2: ITermPictures()
        }
    }
}

/// Pictures in bands of six rows of pixels, which the text that is written over them destroys.
struct SixelPictures: PictureProtocol {
    func draw(_ image: PixelImage, over cells: Size, id: Int) -> [UInt8]? { try? SixelEncoder.encode(image) }

    func erase(id: Int) -> [UInt8] { [] }
}

/// The graphics protocol of kitty: a picture is sent once, has a number, and lies above the text until it is deleted.
///
/// Source: https://sw.kovidgoyal.net/kitty/graphics-protocol
struct KittyPictures: PictureProtocol {
    /// Bytes of base64 that one escape sequence may hold.
    static let chunk = 4096
    /// Our numbers begin here, away from the low ones that other programs take.
    private static let firstNumber = 0x5C00_0000

    func draw(_ image: PixelImage, over cells: Size, id: Int) -> [UInt8]? {
        guard let file = image.png() else { return nil }
        let data = Base64.encode(file)
        var bytes: [UInt8] = []
        var at = 0
        // The first chunk says all: show at once (a=T), a PNG (f=100), sent here (t=d), no answer (q=2), the cursor
        // stays (C=1), scaled to so many cells.
        var keys = "a=T,f=100,t=d,q=2,C=1,i=\(number(of: id)),p=1,c=\(cells.columns),r=\(cells.rows),"
        while at < data.count {
            let part = data[at..<min(data.count, at + KittyPictures.chunk)]
            at = part.endIndex
            bytes += Array("\u{1B}_G\(keys)m=\(at < data.count ? 1 : 0);".utf8) + part + Array("\u{1B}\\".utf8)
            keys = ""
        }
        return bytes
    }

    /// Deletes the picture wherever it is shown, and its data.
    func erase(id: Int) -> [UInt8] { Array("\u{1B}_Ga=d,d=I,i=\(number(of: id)),q=2\u{1B}\\".utf8) }

    private func number(of id: Int) -> Int { KittyPictures.firstNumber + id & 0xFF_FFFF }
}

/// The inline images of iTerm2: a file that takes so many cells, and goes when text is written over them.
///
/// Source: https://iterm2.com/documentation-images.html
struct ITermPictures: PictureProtocol {
    func draw(_ image: PixelImage, over cells: Size, id: Int) -> [UInt8]? {
        guard let file = image.png() else { return nil }
        // doNotMoveCursor is WezTerm's; others move it, and it is put back in any case.
        let keys =
            "inline=1;size=\(file.count);width=\(cells.columns);height=\(cells.rows);"
            + "preserveAspectRatio=0;doNotMoveCursor=1"
        return Array("\u{1B}]1337;File=\(keys):".utf8) + Base64.encode(file) + [0x07]
    }

    func erase(id: Int) -> [UInt8] { [] }
}
