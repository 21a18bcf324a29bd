"""Which bucket the state speaks of."""

from __future__ import annotations

import sqlite3

from trio_s3_bot.inbox.database import Database


class Place:
    """What was begun in one bucket says nothing about another one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def settle(self, bucket: str) -> str | None:
        """
        Commit that all is in `bucket` from now on; gives the other bucket's name if it was elsewhere before.

        Then nothing counts as begun any more: documents on their way are saved here from their start, and what somebody
        wants renamed or deleted is looked for here. Raises `StateError`.
        """

        def write(connection: sqlite3.Connection) -> str | None:
            row = connection.execute("SELECT bucket FROM place").fetchone()
            if row is not None and row[0] == bucket:
                return None
            connection.execute("DELETE FROM place")
            connection.execute("INSERT INTO place (bucket) VALUES (?)", (bucket,))
            if row is None:
                return None
            _forget_what_was_begun(connection)
            return str(row[0])

        return await self._database.write(write)


def _forget_what_was_begun(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE uploads SET key = NULL, creating = NULL, upload_id = NULL, part_size = NULL")
    connection.execute("DELETE FROM parts")
    connection.execute("UPDATE chores SET creating = NULL")
