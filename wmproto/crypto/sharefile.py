"""A share file: text that can be printed, kept apart, and typed in again (specs/secretfile.md, "Backups").

White space is free, all else has one spelling. A share's words are a secret: neither repr shows them, nor an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from textwrap import wrap
from typing import cast, get_args

from wmproto.crypto.secret import MAX_CONTEXTS, Role
from wmproto.crypto.slip39 import MAX_SHARES, WordShare, need_slip39, read_words
from wmproto.errors import FormatError
from wmproto.wire.framing import frame, sha256
from wmproto.wire.hidden import Hidden, HiddenText
from wmproto.wire.schema import decode_b64, encode_b64

FORMAT = "wmproto/share@v1"
SHARE_LIMIT = 1 << 20  # bytes of a share file
_FIELDS = ("format:", "share:", "role:", "public:", "contexts:", "words:", "check:", "nonce:", "box:", "digest:")
_NOT_ONE = "this is no share of a backup, or a part of it is missing"
_HINT = "shares are the files that key backup writes"


@dataclass(frozen=True, slots=True, repr=False)
class Share:
    """One share of a backup.

    Attributes:
        number: Which share, from 1.
        count: How many there are.
        threshold: How many restore the key.
        role: Whose key.
        public: Its Ed25519 public key, 32 bytes.
        contexts: How many contexts the key had used.
        words: The SLIP-39 share of the backup key.
        check: What tells whether the backup key is right, 32 bytes.
        nonce: Of the box, 24 bytes.
        box: The sealed secrets.
    """

    number: int
    count: int
    threshold: int
    role: Role
    public: bytes
    contexts: int
    words: tuple[str, ...]
    check: bytes
    nonce: bytes
    box: bytes

    def __repr__(self) -> str:
        return f"Share({self.number} of {self.count})"

    @property
    def backup(self) -> tuple[object, ...]:
        """What all shares of one backup have in common."""
        return self.count, self.threshold, self.role, self.public, self.contexts, self.check, self.nonce, self.box

    @property
    def holder(self) -> str:
        """Role and short public key."""
        return f"{self.role} key {self.public.hex()[:16]}"

    @property
    def verified_words(self) -> WordShare:
        """The words with what they say."""
        return WordShare(self.words, self.number, self.threshold)

    @property
    def name(self) -> str:
        """Name of its file."""
        return f"share-{self.number:02}-of-{self.count:02}.txt"

    def digest(self) -> bytes:
        """SHA-256 over the frame of every other field: tells a damaged file before any work."""
        numbers = (self.number, self.count, self.threshold)
        who = (self.role, self.public, self.contexts)
        words = HiddenText(" ".join(self.words))
        return sha256(Hidden(frame(FORMAT, *numbers, *who, words, self.check, self.nonce, self.box)))

    def to_text(self) -> Hidden:
        """The share file: a header for people, then the fields. No repr shows it."""
        alone = self.threshold == 1
        any_k = "it restores the key alone" if alone else f"any {self.threshold} of them restore it"
        words = [HiddenText("  " + " ".join(self.words[at : at + 11])) for at in range(0, len(self.words), 11)]
        lines = [
            f"Backup of the {self.holder}, share {self.number} of {self.count}: {any_k}.",
            "Keep it secret" + (", like the key." if alone else ", and apart from the other shares."),
            "To restore: wmproto key restore SHARE-FILES --out NEW.key",
            "Key folders are not in it: their statements, receipts and pictures need a backup of their own.",
            "",
            f"format: {FORMAT}",
            f"share: {self.number} of {self.count}, takes {self.threshold}",
            f"role: {self.role}",
            f"public: {self.public.hex()}",
            f"contexts: {self.contexts}",
            *("words:", *words),
            f"check: {self.check.hex()}",
            f"nonce: {encode_b64(self.nonce)}",
            *("box:", *(f"  {line}" for line in wrap(encode_b64(self.box), 76))),
            f"digest: {self.digest().hex()}",
        ]
        return Hidden(("\n".join(lines) + "\n").encode())


def read_share(data: bytes) -> Share:
    """Read a share file. Its digest and the checksum of its words hold; only restoring shows that nobody edited it.

    Args:
        data: The file, at most 1 MiB. White space is free.

    Raises:
        FormatError: Not a share, a wrong word, damaged or edited.
        MissingExtraError: The extra backup is not installed.
    """
    need_slip39()
    data = Hidden(data)
    found = _parse(data)
    if isinstance(found, FormatError):
        raise found
    return found


def _parse(data: Hidden) -> Share | FormatError:
    """Return the error instead of raising it: a traceback through this frame could show the words."""
    if len(data) > SHARE_LIMIT:
        return FormatError(f"a share has at most {SHARE_LIMIT} bytes", hint=_HINT)
    try:
        text = HiddenText(data.decode("ascii"))
    except UnicodeDecodeError:
        return FormatError(_NOT_ONE, hint=_HINT)
    found = _fields(list(map(HiddenText, text.split())))
    if found is None or found["format:"] != [FORMAT]:
        return FormatError(_NOT_ONE, hint=_HINT)
    words = read_words(found["words:"])
    if isinstance(words, FormatError):
        return words
    share = _share(found, words)
    if share is None or "".join(share.to_text().decode().split()) != "".join(text.split()):
        return FormatError("damaged or edited: its digest does not hold", hint="take another share")
    return share


def _fields(tokens: list[HiddenText]) -> dict[str, list[HiddenText]] | None:
    """The tokens of each field, or None if a field is missing or out of order."""
    at = [0]
    for name in _FIELDS:
        try:
            at.append(tokens.index(HiddenText(name), at[-1]))
        except ValueError:
            return None
    return {name: tokens[a + 1 : b] for name, (a, b) in zip(_FIELDS, pairwise([*at[1:], len(tokens)]), strict=True)}


def _share(found: dict[str, list[HiddenText]], words: WordShare) -> Share | None:
    """The share that the fields say, or None if they cannot be meant; to_text says whether they are written so."""
    numbers = re.fullmatch(r"([0-9]{1,2}) of ([0-9]{1,2}), takes ([0-9]{1,2})", " ".join(found["share:"]))
    role = "".join(found["role:"])
    if numbers is None or role not in get_args(Role) or not re.fullmatch("[0-9]{1,4}", "".join(found["contexts:"])):
        return None
    number, count, threshold = (int(text) for text in numbers.groups())
    contexts = int("".join(found["contexts:"]))
    try:
        public, check = (bytes.fromhex("".join(found[name])) for name in ("public:", "check:"))
        nonce, box = (decode_b64("".join(found[name])) for name in ("nonce:", "box:"))
    except (ValueError, FormatError):
        return None
    fits = len(public) == len(check) == 32 and len(nonce) == 24 and len(box) >= 16 and contexts <= MAX_CONTEXTS
    if not fits or (words.number, words.threshold) != (number, threshold) or not number <= count <= MAX_SHARES:
        return None
    return Share(number, count, threshold, cast(Role, role), public, contexts, words.words, check, nonce, box)
