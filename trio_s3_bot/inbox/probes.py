"""The name under which the check at start writes to the bucket, on record while something of it may be there."""

from __future__ import annotations

import sqlite3

from trio_s3_bot.inbox.database import Database


class Probes:
    """At most one name at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, key: str) -> str:
        """Commit that `key` is about to be used; gives the name of a check that was never ended in its place."""

        def write(connection: sqlite3.Connection) -> str:
            connection.execute("INSERT INTO probes (key) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM probes)", (key,))
            return connection.execute("SELECT key FROM probes").fetchone()[0]  # type: ignore[no-any-return]

        return await self._database.write(write)

    async def end(self) -> None:
        """Commit that nothing is left of the check."""
        await self._database.write(lambda connection: connection.execute("DELETE FROM probes"))
