"""
Stand-ins that keep the contracts of what has sockets and threads, on trio's clock and with scripted faults.

The mock clock jumps as soon as every task waits, also for a thread or a socket; so nothing here has one. The inbox is
the real one, on a database that is asked inline.
"""

from tests.time.fakes.disk import IN_MEMORY, Disk, inbox_on, inline, open_disk
from tests.time.fakes.messenger import (
    LONG_POLL,
    MOST_AT_ONCE,
    Fault,
    Request,
    ScriptedMessenger,
    no_fault,
    only_for,
    until,
)
from tests.time.fakes.store import PART_SIZE, StoreInMemory, TimedTransfer

__all__ = [
    "IN_MEMORY",
    "LONG_POLL",
    "MOST_AT_ONCE",
    "PART_SIZE",
    "Disk",
    "Fault",
    "Request",
    "ScriptedMessenger",
    "StoreInMemory",
    "TimedTransfer",
    "inbox_on",
    "inline",
    "no_fault",
    "only_for",
    "open_disk",
    "until",
]
