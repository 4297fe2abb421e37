// StorePictures.swift — the pictures of saved conversations as pixels again: what the engine needs to go on, and what the
// screen shows.

public import Engine
import Foundation

extension ConversationStore {
    /// What the engine needs to put a conversation back (`ChatEngine.restore`), its pictures read again.
    ///
    /// Takes as long as reading the pictures does. A picture that is gone is an error: without it the model would speak of
    /// something else.
    public func pastTurns(of conversation: SavedConversation) throws(StoreError) -> [PastTurn] {
        var past: [PastTurn] = []
        for turn in conversation.turns {
            var images: [PixelImage] = []
            for picture in turn.pictures { images.append(try image(of: picture)) }
            past.append(PastTurn(images: images, question: turn.question, answer: turn.tokens))
        }
        return past
    }

    /// The picture as it was shown: from its file if that is what it was, else from the copy that was kept.
    public func image(of picture: SavedPicture) throws(StoreError) -> PixelImage {
        if let digest = try? SHA256Digest(ofFile: picture.path), digest == picture.digest,
            let image = try? PixelImage.read(picture.path)
        {
            return image
        }
        guard picture.isKept, let bytes = try bytes(of: picture.digest) else { throw .pictureGone(path: picture.path) }
        return try Self.decode(bytes, picture)
    }

    /// The thumbnail as pixels; they say that their source is the picture itself.
    public func thumbnailImage(of picture: SavedPicture) throws(StoreError) -> PixelImage? {
        guard let bytes = try thumbnail(of: picture.digest) else { return nil }
        return try Self.decode(bytes, picture)
    }

    /// Decodes bytes as a file is decoded: where strangers' pictures are, in a process of its own.
    private static func decode(_ bytes: Data, _ picture: SavedPicture) throws(StoreError) -> PixelImage {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("specchat-\(UUID().uuidString)").path
        defer { unlink(file) }
        do {
            guard FileManager.default.createFile(atPath: file, contents: bytes, attributes: [.posixPermissions: 0o600])
            else { throw StoreError.unreadable(path: file, reason: String(cString: strerror(errno))) }
            let image = try PixelImage.read(file)
            let name = (picture.path as NSString).lastPathComponent
            return PixelImage(
                width: image.width, height: image.height, pixels: image.pixels,
                source: PixelImage.Source(name: name, width: picture.width, height: picture.height))
        } catch let error as StoreError {
            throw error
        } catch {
            throw .unreadable(path: picture.path, reason: "its copy in the store is no picture")
        }
    }
}
