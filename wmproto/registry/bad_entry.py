"""Entries that stand in a log and count for nobody: what a monitor finds wrong with them (reg-monitor-5)."""

from __future__ import annotations

from dataclasses import dataclass

from wmproto.errors import FormatError, NotFoundError, SignatureError
from wmproto.registry.entry_check import parse_entry, verify_entry
from wmproto.registry.source import Source
from wmproto.wire.profile import Profile

__all__ = ["BadEntry", "flaw"]


@dataclass(frozen=True, slots=True)
class BadEntry:
    """An entry that counts for nobody: its index, and what does not hold."""

    index: int
    reason: str


def flaw(source: Source, profile: Profile, data: bytes) -> str | None:
    """What does not hold of an entry; None if its statement is there and its signature verifies.

    Args:
        source: Has the statements.
        profile: Under whose tag the entry is framed.
        data: The entry's bytes.

    Raises:
        RegistryError: The source fails, which is no flaw of the entry; that it lacks the statement is one.
    """
    try:
        entry = parse_entry(profile, data)
        verify_entry(entry, source.statement(entry.payload_hash))
    except NotFoundError:
        return "its statement is not to be had"
    except (FormatError, SignatureError) as err:
        return str(err)
    return None
