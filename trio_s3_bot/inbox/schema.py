"""
The tables, as a list of migrations: a file of schema version N has run the first N of them.

A migration that has been released is never changed; what comes later is a new one at the end.
"""

from __future__ import annotations

APPLICATION_ID = 0x74733362  # "ts3b"

_FIRST = (
    # How far each messenger's updates are committed: the offset, the ts.
    "CREATE TABLE cursors (messenger TEXT PRIMARY KEY, cursor TEXT NOT NULL) STRICT",
    # `chat` and `state` are JSON of model.Chat and conversation.ChatState (without its questions).
    """CREATE TABLE chats (
        key TEXT PRIMARY KEY, chat TEXT NOT NULL, state TEXT NOT NULL, unreachable INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    # The questions that are open, one for a document. After `until` only a reply to the question answers it.
    "CREATE TABLE questions (item TEXT PRIMARY KEY, chat TEXT NOT NULL, ask TEXT NOT NULL, until REAL NOT NULL) STRICT",
    "CREATE INDEX questions_of_chat ON questions (chat)",
    # `body` is JSON of model.UpdateObj until the update is finished; the row stays for a while to know it again.
    """CREATE TABLE updates (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, messenger TEXT NOT NULL, update_id TEXT NOT NULL, chat TEXT,
        body TEXT, failures INTEGER NOT NULL DEFAULT 0, error TEXT, UNIQUE (messenger, update_id)
    ) STRICT""",
    "CREATE INDEX updates_pending ON updates (chat, seq) WHERE body IS NOT NULL",
    # What waits to be said: `body` is JSON of a notice, `upload` the document it is about, `edit_of` the message of
    # the messenger's that it replaces.
    """CREATE TABLE notices (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, chat TEXT NOT NULL, kind TEXT NOT NULL, upload TEXT, album TEXT,
        edit_of INTEGER, body TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX notices_waiting ON notices (chat, seq)",
    "CREATE INDEX notices_of_upload ON notices (upload) WHERE upload IS NOT NULL",
    # What is said, once composed: exactly this text, until it is sent. `remote_id` is the messenger's message id, and
    # `about` JSON of the ids of the documents it is about. `edit_due` counts up with each reason to show a `[document]`
    # message anew, and is 0 when it shows how things are. `joinable`: more documents of an album may come to it.
    """CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT, chat TEXT NOT NULL, body TEXT NOT NULL, about TEXT NOT NULL,
        edit_of INTEGER, remote_id INTEGER, progress_shown INTEGER NOT NULL DEFAULT 0,
        edit_due INTEGER NOT NULL DEFAULT 0, joinable INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    "CREATE INDEX messages_unsent ON messages (chat, id) WHERE remote_id IS NULL",
    "CREATE INDEX messages_stale ON messages (chat, id) WHERE edit_due > 0",
    "CREATE INDEX messages_joinable ON messages (id) WHERE joinable",
    # Which documents a message is about, the person's own or the bot's: for answers to it.
    """CREATE TABLE mentions (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, chat TEXT NOT NULL, message_id INTEGER NOT NULL, item TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX mentions_of_message ON mentions (chat, message_id)",
    # One document on its way: `job` is JSON of rows.JobBody. `key` is the one last tried; `creating` is the intent to
    # create a multipart upload there: JSON of the ids of those that there were before.
    """CREATE TABLE uploads (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, chat TEXT NOT NULL, owner INTEGER,
        name TEXT NOT NULL, prefix TEXT NOT NULL, policy TEXT, album TEXT, job TEXT NOT NULL, state TEXT NOT NULL,
        ask_until REAL, cancelled INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, error TEXT,
        delay_told INTEGER NOT NULL DEFAULT 0, key TEXT, creating TEXT, upload_id TEXT, part_size INTEGER,
        status_message INTEGER REFERENCES messages (id) ON DELETE SET NULL
    ) STRICT""",
    "CREATE INDEX uploads_open ON uploads (chat, seq) WHERE state IN ('asking', 'waiting', 'running')",
    "CREATE INDEX uploads_named ON uploads (chat, name) WHERE state IN ('asking', 'waiting', 'running')",
    "CREATE INDEX uploads_status ON uploads (status_message)",
    "CREATE INDEX uploads_of_album ON uploads (album) WHERE album IS NOT NULL",
    """CREATE TABLE parts (
        upload TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE, number INTEGER NOT NULL,
        size INTEGER NOT NULL, etag TEXT NOT NULL, crc32 INTEGER, PRIMARY KEY (upload, number)
    ) STRICT, WITHOUT ROWID""",
    # What is in the bucket.
    """CREATE TABLE files (
        id TEXT PRIMARY KEY, chat TEXT NOT NULL, owner INTEGER, name TEXT NOT NULL, prefix TEXT NOT NULL,
        key TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL, unique_id TEXT NOT NULL, saved_at REAL NOT NULL,
        gone INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX files_of_chat ON files (chat, saved_at)",
    "CREATE INDEX files_by_content ON files (chat, unique_id)",
    "CREATE INDEX files_by_key ON files (key)",
    # What is to be done with saved objects: `name` is the new name of a renaming, `creating` as with uploads, `edit_of`
    # the message of the messenger's in whose place it is said to be done.
    """CREATE TABLE chores (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, item TEXT NOT NULL UNIQUE, chat TEXT NOT NULL, kind TEXT NOT NULL,
        name TEXT, creating TEXT, edit_of INTEGER, delay_told INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    # What each person has sent in the last 24 hours.
    """CREATE TABLE usage (
        upload TEXT PRIMARY KEY, person TEXT NOT NULL, at REAL NOT NULL, bytes INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX usage_of_person ON usage (person, at)",
    # The name under which a check of the bucket may have left something there.
    "CREATE TABLE probes (key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
)

_ACCOUNTS = (
    # Whose state this is: the bot's own id in each messenger.
    "CREATE TABLE accounts (messenger TEXT PRIMARY KEY, id INTEGER NOT NULL) STRICT",
)

_RANDOM_IDS = (
    # What the `random_id` of each message is counted from: 0 to 2^31 - 2, so that two state files hardly meet.
    "CREATE TABLE random_ids (base INTEGER NOT NULL) STRICT",
    "INSERT INTO random_ids (base) VALUES (abs(random() % 2147483647))",
)

_PLACE = (
    # The bucket that all of this is about: at most one row.
    "CREATE TABLE place (bucket TEXT NOT NULL) STRICT",
)

_DIALOGUE = (
    # Where in the list of files a deletion was asked for: a page, and what was searched for.
    "ALTER TABLE chores ADD COLUMN page INTEGER",
    "ALTER TABLE chores ADD COLUMN query TEXT",
    # Which question a message puts: `question_label` of the rules.
    "ALTER TABLE messages ADD COLUMN asks TEXT",
    "ALTER TABLE mentions ADD COLUMN asks TEXT",
    "CREATE INDEX mentions_that_ask ON mentions (item) WHERE asks IS NOT NULL",
    # Whether the key last tried was tried with leave to replace what stands there.
    "ALTER TABLE uploads ADD COLUMN replacing INTEGER NOT NULL DEFAULT 0",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _ACCOUNTS, _RANDOM_IDS, _PLACE, _DIALOGUE)
