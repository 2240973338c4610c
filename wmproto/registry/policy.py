"""A log policy: which logs, which witnesses, and how many of them a checkpoint needs (c2sp.org/tlog-policy).

The one configuration of trust in logs. Stricter than C2SP: no key stands in a file twice in whatever roles, no log name
twice, and keys of types that this version cannot verify are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from wmproto.errors import FormatError, TrustError
from wmproto.registry.checkpoint import Checkpoint
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.note import LogKey, Note, NoteKey
from wmproto.wire.framing import sha256

POLICY_LIMIT = 64 << 10  # bytes
_NAMES = 63  # most logs, witnesses, groups each: a note has room for 64 signatures
_BYTES = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")
_COUNT = re.compile("[1-9][0-9]?")
_HINT = "see c2sp.org/tlog-policy, or wmproto policy check"


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses a checkpoint if at least ``k`` of its members do, each a witness or another group."""

    k: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogPolicy:
    """A parsed policy.

    Attributes:
        logs: Each log's key -> its URL, "" if none is given.
        witnesses: Name in this file -> the witness's key.
        urls: Name of a witness -> its URL, where one is given.
        groups: Name -> group; members stand above their group.
        quorum: Name of the witness or group that makes a checkpoint count; ``none``: the log's signature is enough.
        digest: SHA-256 of the file, 32 bytes.
    """

    logs: Mapping[LogKey, str]
    witnesses: Mapping[str, WitnessKey]
    urls: Mapping[str, str]
    groups: Mapping[str, Group]
    quorum: str
    digest: bytes

    @classmethod
    def parse(cls, data: bytes) -> LogPolicy:
        """Parse a policy file of at most 64 KiB.

        Raises:
            FormatError: Malformed; names the line (UnsupportedError: a key of a type that this version does not know).
        """
        if len(data) > POLICY_LIMIT or not _BYTES.fullmatch(data) or not data.endswith(b"\n"):
            raise FormatError("log policy: not lines of text, at most 64 KiB", hint=_HINT)
        logs: dict[LogKey, str] = {}
        witnesses: dict[str, WitnessKey] = {}
        urls: dict[str, str] = {}
        groups: dict[str, Group] = {}
        quorum = None
        for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
            words = [word for word in re.split("[ \t]+", line) if word]
            keys, names = (*logs, *witnesses.values()), (*witnesses, *groups)
            try:
                match words:
                    case []:
                        pass
                    case [first, *_] if first.startswith("#"):
                        pass
                    case ["log", vkey, *url] if len(url) < 2:
                        key = _key(LogKey, vkey, keys)
                        if any(key.name == log.name for log in logs):
                            raise FormatError(f"two keys of one log {key.name}")
                        logs[key] = "".join(url)
                    case ["witness", name, vkey, *url] if len(url) < 2:
                        witnesses[_new(name, names)] = _key(WitnessKey, vkey, keys)
                        urls |= dict.fromkeys([name] * len(url), "".join(url))
                    case ["group", name, count, *members] if members:
                        used = [member for group in groups.values() for member in group.members]
                        groups[_new(name, names)] = _group(count, members, names, used)
                    case ["quorum", name] if quorum is None and name in (*names, "none"):
                        quorum = name
                    case _:
                        raise FormatError("not a line of a policy, a second quorum, or one of a name not above")
            except FormatError as err:
                raise type(err)(f"log policy, line {number}: {err}", hint=_HINT) from err
        if quorum is None or max(len(logs), len(witnesses), len(groups)) > _NAMES:
            raise FormatError(f"log policy: no quorum line, or more than {_NAMES} of a kind", hint=_HINT)
        return cls(logs, witnesses, urls, groups, quorum, sha256(data))

    def satisfied(self, name: str, signed: set[str]) -> bool:
        """Whether the witnesses in ``signed`` are enough for a witness or group of this policy, or ``none``."""
        if name in self.groups:
            group = self.groups[name]
            return sum(self.satisfied(member, signed) for member in group.members) >= group.k
        return name in signed or name == "none"

    def verify(self, data: bytes, *, strict: bool = False) -> Checkpoint:
        """Verify a checkpoint under this policy: a log of it signed, and enough of its witnesses.

        Args:
            data: The checkpoint's note.
            strict: Also refuse a line of anybody whom the policy does not know: in evidence, nothing verifies it.

        Raises:
            FormatError: Malformed, or a cosignature is.
            SignatureError: A line of a known key does not verify.
            TrustError: Another log, no quorum, or a stranger's line.
        """
        note = Note.parse(data)
        checkpoint = Checkpoint.parse(note.text)
        signers = [key.name for key in self.logs if note.signed_by(key)]  # each line of a known key must verify
        if checkpoint.origin not in signers:
            text = f"the log policy does not name a log {checkpoint.origin} that signed this checkpoint"
            raise TrustError(text, rule="reg-policy-6")
        signed = {name for name, key in self.witnesses.items() if note.signed_by(key)}
        if not self.satisfied(self.quorum, signed):
            text = f"the checkpoint of {checkpoint.size} entries lacks the quorum {self.quorum} of the log policy"
            raise TrustError(f"{text}; witnessed by: {', '.join(sorted(signed)) or 'nobody'}", rule="reg-policy-6")
        known = {(key.name, key.key_id) for key in (*self.logs, *self.witnesses.values())}
        if strict and (strangers := [name for name, raw in note.lines if (name, raw[:4]) not in known]):
            text = f"the checkpoint bears a signature of {strangers[0]}, whom the log policy does not know"
            hint = "if it is a witness you know, add its line to the policy; it need not be part of the quorum"
            raise TrustError(text, rule="reg-policy-7", hint=hint)
        return checkpoint


_Key = TypeVar("_Key", bound=NoteKey)


def _key(kind: type[_Key], vkey: str, others: Iterable[NoteKey]) -> _Key:
    key = kind.parse(vkey)
    if any(key.public == other.public for other in others):
        raise FormatError(f"the key of {key.name} stands above already: one key under two names")
    return key


def _new(name: str, taken: Iterable[str]) -> str:
    if name == "none" or name in taken:
        raise FormatError(f"{name} cannot be defined again")
    return name


def _group(count: str, members: list[str], defined: Iterable[str], used: Iterable[str]) -> Group:
    for place, name in enumerate(members):
        if name not in defined or name in used or name in members[:place]:
            raise FormatError(f"{name} stands on no line above, or is a member twice")
    k = {"any": 1, "all": len(members)}.get(count, int(count) if _COUNT.fullmatch(count) else 0)
    if not 1 <= k <= len(members):
        raise FormatError(f"{count} is not any, all or a number from 1 to {len(members)}")
    return Group(k, tuple(members))
