// PictureMemory.swift — what is kept of pictures from one conversation to the next. Stands between Conversation and the
// cache on disk.

/// Finds what was computed for a picture before, and keeps what was computed now.
///
/// Two things are kept: a picture's visual tokens and features, which serve wherever it stands, and the rows of target
/// and draft for a text that begins with it, which spare both models the reading. By row exactness they are the very rows
/// that would be computed, so no text depends on them.
final class PictureMemory {
    private let identity: ModelIdentity
    private let cache: PictureCache

    /// Encoded pictures that are not on disk yet.
    private var unkept: [(key: SHA256Digest, picture: SeenPicture)] = []
    /// The beginning of the present text, as far as its rows are not on disk yet.
    private var opening: Opening?

    private struct Opening {
        /// Of the tokens and the picture that the text begins with.
        let rows: Int
        var targetKey: SHA256Digest?
        var draftKey: SHA256Digest?
    }

    init(identity: ModelIdentity, options: PictureCacheOptions) {
        self.identity = identity
        cache = PictureCache(options)
    }

    /// The parts by which a text goes on with `tokens` and a picture.
    ///
    /// - Parameters:
    ///   - isOpening: whether the text begins with them.
    ///   - see: encodes the picture; it may throw to stop.
    func parts(
        for image: PixelImage, rows: Int, after tokens: [Int32], isOpening: Bool, target: KVCache,
        drafter: DraftModelDrafter?, seeing see: () throws -> SeenPicture
    ) throws -> [PromptPart] {
        let key = identity.key(of: image)
        guard isOpening else { return PromptPart.parts(tokens, try seen(key, rows: rows, on: target, seeing: see)) }
        let all = tokens.count + rows
        let targetKey = identity.targetKey(key, after: tokens)
        let draftKey = drafter?.seesPictures == true ? identity.draftKey(key, after: tokens) : nil
        let targetRows = cache.load(targetKey).flatMap { target.fits($0, rows: all) ? $0 : nil }
        let draftRows = draftKey.flatMap { cache.load($0) }.flatMap { drafter?.fits($0, rows: all) == true ? $0 : nil }
        // With its rows the target needs the picture no more; a draft that has none does.
        let isNeeded = targetRows == nil || (draftKey != nil && draftRows == nil)
        let picture = isNeeded ? try seen(key, rows: rows, on: target, seeing: see) : nil
        // Only now: had the encoding been stopped, another text would be kept under these keys.
        opening = Opening(
            rows: all, targetKey: targetRows == nil ? targetKey : nil, draftKey: draftRows == nil ? draftKey : nil)
        guard let targetRows else { return picture.map { PromptPart.parts(tokens, $0) } ?? [] }
        return [
            .remembered(
                RememberedOpening(
                    tokens: tokens, pictureRows: rows, target: targetRows, draft: draftRows,
                    features: picture?.features))
        ]
    }

    private func seen(
        _ key: SHA256Digest, rows: Int, on target: KVCache, seeing see: () throws -> SeenPicture
    ) throws -> SeenPicture {
        if let arrays = cache.load(key), arrays.count == 2, arrays.allSatisfy({ $0.count > 0 && $0.count % rows == 0 })
        {
            let pass = target.backend.begin(.vision(rows: rows))
            return SeenPicture(
                visualTokens: pass.load(arrays[0], columns: arrays[0].count / rows),
                features: pass.load(arrays[1], columns: arrays[1].count / rows))
        }
        let picture = try see()
        unkept.append((key, picture))
        return picture
    }

    /// Forgets what was to be kept of the text from row `length` on.
    func truncate(to length: Int) {
        if let opening, opening.rows > length { self.opening = nil }
        if length == 0 { unkept = [] }
    }

    /// Writes down what is not on disk yet. Called when nobody waits for an answer.
    ///
    /// - Returns: a reason why nothing can be kept, once.
    func keep(target: KVCache, drafter: DraftModelDrafter?) throws -> String? {
        for (key, picture) in unkept {
            let pass = target.backend.begin(.vision(rows: picture.features.rows))
            cache.store([try pass.read(picture.visualTokens), try pass.read(picture.features)], as: key)
        }
        unkept = []
        if let key = opening?.targetKey, let rows = opening?.rows, target.committed >= rows {
            keep(target, rows: rows, as: key)
            opening?.targetKey = nil
        }
        if let key = opening?.draftKey, let rows = opening?.rows, let draft = drafter?.settledCache(atLeast: rows) {
            keep(draft, rows: rows, as: key)
            opening?.draftKey = nil
        }
        return cache.takeFault()
    }

    private func keep(_ rowsOf: KVCache, rows: Int, as key: SHA256Digest) {
        // Looked at first, because copying the rows of a large model takes as much memory as they do.
        guard cache.wouldKeep([rowsOf.numberCount(ofRows: rows)]) else { return }
        cache.store(rowsOf.numbers(ofRows: rows), as: key)
    }
}
