// TokenizerDeclarations.swift — what the small JSON files beside a tokenizer say about it. Read by TokenizerFolder,
// applied by the readers of tokenizer.model and tokenizer.json.

/// The settings of `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json` and `generation_config.json`.
struct TokenizerDeclarations: Sendable {
    /// A token that the tokenizer's own file may not have.
    struct Added: Sendable {
        var token: AddedToken
        var isSpecial: Bool
    }

    /// Names of the tokens that begin and end a text, and that stands for what cannot be spelt.
    var beginning: String?
    var end: String?
    var unknown: String?
    var addsBeginning: Bool?
    /// False where the space before the first word is put nowhere else (`legacy`).
    var isLegacy: Bool?
    /// False where no space is put before the first word at all.
    var addsPrefixSpace: Bool?
    /// Tokens that end an answer, by id.
    var stops: Set<Int> = []
    /// Tokens beyond the tokenizer's own, in the order of their ids.
    private(set) var added: [Added] = []

    /// Reads `tokenizer_config.json`.
    mutating func read(configuration: JSONValue) {
        beginning = Self.name(configuration["bos_token"]) ?? beginning
        end = Self.name(configuration["eos_token"]) ?? end
        unknown = Self.name(configuration["unk_token"]) ?? unknown
        addsBeginning = configuration["add_bos_token"]?.bool ?? addsBeginning
        isLegacy = configuration["legacy"]?.bool ?? isLegacy
        addsPrefixSpace = configuration["add_prefix_space"]?.bool ?? addsPrefixSpace
        for member in configuration["added_tokens_decoder"]?.members ?? [] {
            guard let id = Int(member.name), let added = Self.added(member.value, id: id) else { continue }
            add(added)
        }
    }

    /// Reads `special_tokens_map.json`, which speaks where `tokenizer_config.json` does not.
    mutating func read(specialTokens: JSONValue) {
        beginning = beginning ?? Self.name(specialTokens["bos_token"])
        end = end ?? Self.name(specialTokens["eos_token"])
        unknown = unknown ?? Self.name(specialTokens["unk_token"])
        let additional = specialTokens["additional_special_tokens"]?.list ?? []
        let names = (specialTokens.members ?? []).map(\.value) + additional
        let special = Set(names.compactMap(Self.name).map(PieceBytes.init))
        for index in added.indices where special.contains(PieceBytes(added[index].token.content)) {
            added[index].isSpecial = true
        }
    }

    /// Reads `added_tokens.json`: ids by content. Tokens that have been declared already stay as they are.
    mutating func read(addedTokens: JSONValue) {
        for member in addedTokens.members ?? [] {
            guard let id = member.value.integer, let token = Self.token(id: id, content: member.name) else { continue }
            add(Added(token: token, isSpecial: false))
        }
    }

    /// Reads `generation_config.json` or the configuration of a model.
    mutating func read(generation: JSONValue) {
        let end = generation["eos_token_id"]
        stops.formUnion((end?.list ?? [end].compactMap { $0 }).compactMap(\.integer))
    }

    private mutating func add(_ token: Added) {
        guard !added.contains(where: { $0.token.id == token.token.id }) else { return }
        added.append(token)
        added.sort { $0.token.id < $1.token.id }
    }

    /// A token as `tokenizer.json` and `added_tokens_decoder` describe it; absent where it is none.
    static func added(_ value: JSONValue, id: Int) -> Added? {
        guard let content = value["content"]?.text, var token = token(id: id, content: content) else { return nil }
        token.isNormalised = value["normalized"]?.bool ?? false
        token.isSingleWord = value["single_word"]?.bool ?? false
        token.stripsLeft = value["lstrip"]?.bool ?? false
        token.stripsRight = value["rstrip"]?.bool ?? false
        return Added(token: token, isSpecial: value["special"]?.bool ?? false)
    }

    private static func token(id: Int, content: String) -> AddedToken? {
        guard let id = Int32(exactly: id), id >= 0, !content.isEmpty else { return nil }
        return AddedToken(id: id, content: content)
    }

    /// A token's name, given as such or as an object.
    private static func name(_ value: JSONValue?) -> String? { value?.text ?? value?["content"]?.text }
}
