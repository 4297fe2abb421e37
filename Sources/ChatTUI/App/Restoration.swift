// Restoration.swift — a saved conversation made ready for the engine: the same model, the same pictures, or a plain word
// about what is missing. Run by JobRunner, away from the screen's thread.

import ConversationStore
import Engine

enum RestorationError: Error, Sendable, Equatable, CustomStringConvertible {
    case otherModel(id: ConversationID, saved: ModelIdentity, present: ModelIdentity)

    var description: String {
        switch self {
        case .otherModel(let id, let saved, let present):
            "The conversation above was held with \(saved.name) (\(Self.files(saved))), and this is \(present.name) "
                + "(\(Self.files(present))), so it is only shown: the next question begins a new one. To go on with it, "
                + "start with --model \(saved.target.path)\(saved.vision.map { " --mmproj \($0.path)" } ?? "") "
                + "--resume \(id)."
        }
    }

    private static func files(_ model: ModelIdentity) -> String {
        "\(PathText.fileName(model.target.path)), "
            + (model.vision.map { PathText.fileName($0.path) } ?? "no vision file")
    }
}

struct Restoration: Sendable {
    let saved: SavedConversation
    let store: StoreDoor
    let identity: @Sendable () throws(StoreError) -> ModelIdentity
    /// The id of the first picture's photo; the others follow.
    let firstPhoto: Int
    let post: @Sendable (SessionEvent) -> Void

    /// The turns as the engine takes them. A picture that is gone is left out, and said to be.
    func pastTurns() throws -> [PastTurn] {
        let present = try identity()
        guard present.isSameModel(as: saved.model) else {
            throw RestorationError.otherModel(id: saved.id, saved: saved.model, present: present)
        }
        var place = 0
        return try saved.turns.map { turn in
            var images: [PixelImage] = []
            for picture in turn.pictures {
                if let image = try read(picture, of: turn, place: place) { images.append(image) }
                place += 1
            }
            return PastTurn(images: images, question: turn.question, answer: turn.tokens)
        }
    }

    private func read(_ picture: SavedPicture, of turn: SavedTurn, place: Int) throws -> PixelImage? {
        let store = try store.open()
        let name = PathText.fileName(picture.path)
        do throws(StoreError) {
            let image = try store.image(of: picture)
            post(.pictureFound(Photo(name: name, image: image, id: firstPhoto + place), place: place))
            return image
        } catch {
            let preview = try? store.thumbnailImage(of: picture)
            post(
                .pictureMissing(
                    preview.map { Photo(name: "\(name) (missing)", image: $0, id: firstPhoto + place) }, place: place,
                    reason: Restoration.sentence(about: picture, of: turn)))
            return nil
        }
    }

    static func sentence(about picture: SavedPicture, of turn: SavedTurn) -> String {
        "The picture \(picture.path) of question \(turn.number + 1) is gone or has changed, and no copy was kept. The model "
            + "goes on without it, so it may say something else than it would have. Put the file back and resume once "
            + "more to have it seen again."
    }
}
