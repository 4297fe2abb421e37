// AttachingTests.swift — pictures by command, by path, by paste: what is added, what is said about it.

import Engine
import Testing

@testable import ChatTUI

struct `Attaching` {
    static let image = PixelImage(
        width: 2, height: 2, pixels: Array(repeating: 200, count: 12),
        source: .init(name: "photo.jpg", width: 4032, height: 3024))

    @Test func `says what was added and shows it`() {
        var driver = Driver.loaded()
        driver.ask("/image 'my photo.jpg'")
        #expect(driver.started == [.attach(path: "my photo.jpg")])
        driver.send(.pictureReady(Photo(name: "my photo.jpg", image: Self.image, id: 1), path: "my photo.jpg"))
        driver.end()
        #expect(driver.transcript == ["my photo.jpg 4032×3024"])
        #expect(driver.state.photo?.name == "my photo.jpg")
    }

    @Test func `that fails takes back the question that came after it`() {
        var driver = Driver.loaded()
        driver.ask("/image gone.png")
        driver.ask("What is it?")
        driver.end(failure: "gone.png cannot be opened: no such file.")
        #expect(driver.started == [.attach(path: "gone.png")])
        #expect(driver.transcript == ["gone.png cannot be opened: no such file."])
        #expect(driver.state.composer.text == "What is it?")
    }

    private static let readings = [["/tmp/a.png"]]

    @Test func `a pasted path asks whether it exists, and becomes text with a word about it when it does not`() {
        var driver = Driver.loaded()
        driver.send(.input(.paste("/tmp/a.png\n")))
        #expect(
            driver.effects == [
                .lookForPictures(readings: Self.readings, original: "/tmp/a.png\n", isTyped: false)
            ])
        driver.send(.foundPictures(nil, readings: Self.readings, original: "/tmp/a.png\n", isTyped: false))
        #expect(driver.state.composer.text == "/tmp/a.png")
        #expect(driver.state.hint == "there is no file /tmp/a.png; with a space before it, it is sent as text")
        driver.send(.foundPictures(["/tmp/b.png"], readings: [["/tmp/b.png"]], original: "", isTyped: false))
        #expect(driver.started == [.attach(path: "/tmp/b.png")])
    }

    @Test func `a path dropped into a half-written question adds the picture and leaves the words`() {
        var driver = Driver.loaded()
        driver.type("What is ")
        driver.send(.input(.paste("'/tmp/a b.png' ")))
        driver.send(.foundPictures(["/tmp/a b.png"], readings: [], original: "'/tmp/a b.png' ", isTyped: false))
        #expect(driver.started == [.attach(path: "/tmp/a b.png")] && driver.state.composer.text == "What is ")
    }

    @Test func `a path pasted after a command is its argument`() {
        var driver = Driver.loaded()
        driver.type("/image ")
        driver.send(.input(.paste("/tmp/a.png")))
        #expect(driver.effects.isEmpty && driver.state.composer.text == "/image /tmp/a.png")
    }

    @Test func `a typed path with bare spaces is looked for before it is anything`() {
        var driver = Driver.loaded()
        driver.ask("/tmp/a b.png")
        let readings = [["/tmp/a b.png"]]
        #expect(
            driver.effects == [.lookForPictures(readings: readings, original: "/tmp/a b.png", isTyped: true)])
        driver.send(.foundPictures(nil, readings: readings, original: "/tmp/a b.png", isTyped: true))
        #expect(driver.state.composer.text == "/tmp/a b.png" && driver.started.isEmpty)
        driver.send(.foundPictures(["/tmp/a b.png"], readings: readings, original: "/tmp/a b.png", isTyped: true))
        #expect(driver.started == [.attach(path: "/tmp/a b.png")] && driver.state.composer.isEmpty)
    }

    @Test func `is confirmed with what the model looks at`() {
        var driver = Driver.loaded()
        driver.ask("/image photo.jpg")
        driver.send(.pictureReady(Photo(name: "photo.jpg", image: Self.image, id: 1), path: "photo.jpg"))
        driver.send(.engine(.picture(PictureReading(width: 448, height: 448, tokens: 256))))
        #expect(driver.transcript == ["Added photo.jpg 4032×3024 → 448×448, 256 tokens"])
    }

    @Test func `is confirmed with its tiles where it is cut into some`() {
        var driver = Driver.loaded()
        driver.ask("/image photo.jpg")
        driver.send(.pictureReady(Photo(name: "photo.jpg", image: Self.image, id: 1), path: "photo.jpg"))
        driver.send(.engine(.picture(PictureReading(width: 672, height: 672, tokens: 2340, squares: 5))))
        #expect(
            driver.transcript == ["Added photo.jpg 4032×3024 → 672×672, the whole and 4 tiles, 2340 tokens"])
    }

    @Test func `completes the path that is being typed`() {
        var driver = Driver.loaded()
        driver.type("/image ph")
        driver.press(.tab)
        #expect(driver.effects == [.listFiles("ph")])
        driver.send(.files(["photo1.jpg", "photo2.jpg"], completing: "ph"))
        #expect(driver.state.composer.text == "/image photo")
        #expect(driver.state.hint == "photo1.jpg  photo2.jpg")
    }

    @Test func `is undone by a new conversation, which leaves the old one in sight`() {
        var driver = Driver.loaded()
        driver.send(.pictureReady(Photo(name: "a.png", image: Self.image, id: 1), path: "a.png"))
        driver.ask("/new")
        driver.end()
        #expect(driver.state.photo == nil)
        #expect(driver.state.turns.map(\.content) == [.picture, .divider])
    }
}
