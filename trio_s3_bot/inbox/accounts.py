"""Whose state this is: the bot's own id in each messenger."""

from __future__ import annotations

import sqlite3

from trio_s3_bot.inbox.database import Database


class Accounts:
    """One account in each messenger. Cursors, chats and message ids of one mean something else to another."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, messenger: str) -> int | None:
        """The id of the account that this is the state of; `None` while it is nobody's."""
        query = "SELECT id FROM accounts WHERE messenger = ?"

        def read(connection: sqlite3.Connection) -> int | None:
            row = connection.execute(query, (messenger,)).fetchone()
            return row[0] if row else None

        return await self._database.read(read)

    async def record(self, messenger: str, account: int) -> None:
        """Commit that this is the state of that account."""
        statement = "INSERT OR IGNORE INTO accounts (messenger, id) VALUES (?, ?)"
        await self._database.write(lambda connection: connection.execute(statement, (messenger, account)))
