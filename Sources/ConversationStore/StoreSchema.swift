// StoreSchema.swift — the tables of the store and how older files come to have them. A migration that was released is
// never changed; what it got wrong the next one mends.

import GRDB

enum StoreSchema {
    /// Marks a SQLite file as ours: "spch" in ASCII.
    static let applicationID = 0x7370_6368

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 conversations") { try $0.execute(sql: conversations) }
        migrator.registerMigration("2 search") { try $0.execute(sql: search) }
        return migrator
    }

    /// Conversations, their turns, the rounds of their answers as lines of a trace, their pictures.
    ///
    /// A picture's file is known by its digest and kept once, however often it was shown; it goes with the last turn
    /// that shows it.
    private static let conversations = """
        PRAGMA application_id = \(applicationID);
        CREATE TABLE conversation (
            id TEXT PRIMARY KEY NOT NULL,
            created TEXT NOT NULL,
            updated TEXT NOT NULL,
            title TEXT NOT NULL,
            model TEXT NOT NULL,
            template TEXT,
            settings TEXT NOT NULL
        );
        CREATE INDEX conversation_updated ON conversation (updated);
        CREATE TABLE turn (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            asked TEXT NOT NULL,
            question TEXT NOT NULL,
            answer TEXT NOT NULL DEFAULT '',
            tokens BLOB NOT NULL DEFAULT x'',
            state TEXT NOT NULL,
            settings TEXT NOT NULL,
            statistics TEXT NOT NULL,
            UNIQUE (conversation, number)
        );
        CREATE TABLE round (
            turn INTEGER NOT NULL REFERENCES turn (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            line TEXT NOT NULL,
            PRIMARY KEY (turn, number)
        ) WITHOUT ROWID;
        CREATE TABLE image (
            digest TEXT PRIMARY KEY NOT NULL,
            byteCount INTEGER NOT NULL,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            thumbnail BLOB NOT NULL,
            bytes BLOB
        );
        CREATE TABLE picture (
            turn INTEGER NOT NULL REFERENCES turn (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            path TEXT NOT NULL,
            digest TEXT NOT NULL REFERENCES image (digest),
            PRIMARY KEY (turn, number)
        ) WITHOUT ROWID;
        CREATE INDEX picture_digest ON picture (digest);
        CREATE TRIGGER picture_deleted AFTER DELETE ON picture
        WHEN NOT EXISTS (SELECT 1 FROM picture WHERE digest = old.digest) BEGIN
            DELETE FROM image WHERE digest = old.digest;
        END;
        """

    /// Full text search over questions and answers. An answer that is being written is not indexed before it ends:
    /// thirty times a second would be too often.
    private static let search = """
        CREATE VIEW ended_turn AS SELECT id, question, answer FROM turn WHERE state <> 'streaming';
        CREATE VIRTUAL TABLE search USING fts5 (
            question, answer, content = 'ended_turn', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
        );
        CREATE TRIGGER search_inserted AFTER INSERT ON turn WHEN new.state <> 'streaming' BEGIN
            INSERT INTO search (rowid, question, answer) VALUES (new.id, new.question, new.answer);
        END;
        CREATE TRIGGER search_deleted AFTER DELETE ON turn WHEN old.state <> 'streaming' BEGIN
            INSERT INTO search (search, rowid, question, answer) VALUES ('delete', old.id, old.question, old.answer);
        END;
        CREATE TRIGGER search_changed AFTER UPDATE OF question, answer, state ON turn
        WHEN old.state <> 'streaming' AND new.state <> 'streaming' BEGIN
            INSERT INTO search (search, rowid, question, answer) VALUES ('delete', old.id, old.question, old.answer);
            INSERT INTO search (rowid, question, answer) VALUES (new.id, new.question, new.answer);
        END;
        CREATE TRIGGER search_left AFTER UPDATE OF question, answer, state ON turn
        WHEN old.state <> 'streaming' AND new.state = 'streaming' BEGIN
            INSERT INTO search (search, rowid, question, answer) VALUES ('delete', old.id, old.question, old.answer);
        END;
        CREATE TRIGGER search_entered AFTER UPDATE OF question, answer, state ON turn
        WHEN old.state = 'streaming' AND new.state <> 'streaming' BEGIN
            INSERT INTO search (rowid, question, answer) VALUES (new.id, new.question, new.answer);
        END;
        INSERT INTO search (search) VALUES ('rebuild');
        """
}
