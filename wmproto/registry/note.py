"""C2SP signed notes, strict: what is accepted has one reading (c2sp.org/signed-note).

A line of a key that the reader knows and that does not verify refuses the note, whoever else has signed it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from wmproto.crypto.signing import check_public_key, verify_signature
from wmproto.errors import FormatError, SignatureError, UnsupportedError
from wmproto.wire.framing import sha256
from wmproto.wire.schema import decode_b64, encode_b64

NOTE_LIMIT = 64 << 10  # bytes
SIGNATURES = 64  # most lines of a note
_ML_DSA = b"\x06"
# Unicode's White_Space, written out: str.isspace() and \s follow the Python at hand, and auditors must not disagree.
_SPACES = " \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NAME = re.compile(f"[^{_SPACES}+\x00-\x1f\x7f-\x9f]+")
_LINE = re.compile(f"\u2014 ([^{_SPACES}+]+) ([A-Za-z0-9+/=]+)")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A verifier key ("vkey"): LogKey or, in cosignature.py, WitnessKey.

    Attributes:
        name: 1 to 256 bytes of UTF-8, no spaces, no plus, no control characters.
        public: Ed25519 public key, 32 bytes.

    Raises:
        FormatError: The name or the key is not acceptable.
    """

    name: str
    public: bytes
    KIND: ClassVar[str]
    TYPE: ClassVar[bytes]

    def __post_init__(self) -> None:
        try:
            size = len(self.name.encode())
            check_public_key(self.public)
        except UnicodeEncodeError:
            raise FormatError(f"{self.KIND} name: not UTF-8") from None
        except SignatureError as err:
            raise FormatError(f"{self.KIND} key: {err}") from None
        if size > 256 or not _NAME.fullmatch(self.name):
            text = "name: not 1 to 256 bytes without spaces, plus and control characters"
            raise FormatError(f"{self.KIND} {text}")

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name || LF || type || public key)."""
        return sha256(self.name.encode() + b"\n" + self.TYPE + self.public)[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode_b64(self.TYPE + self.public)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``name+hex key id+base64(type || public key)``.

        Raises:
            FormatError: Not a verifier key of this type in this very form (UnsupportedError: of type 0x06).
        """
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise FormatError("verifier key: not name+id+key", hint="registry new prints it")
        raw = decode_b64(parts[2])
        if raw[:1] == _ML_DSA:
            raise UnsupportedError("verifier key: ML-DSA-44 is not supported by this version")
        if raw[:1] != cls.TYPE:
            raise FormatError(f"verifier key: not a {cls.KIND}'s Ed25519 key")
        key = cls(parts[0], raw[1:])
        if str(key) != text:
            raise FormatError("verifier key: the id is another key's")
        return key

    def verify(self, text: str, signature: bytes) -> None:
        """Check what a line holds behind the key id; raises SignatureError (a witness's also FormatError)."""
        verify_signature(self.public, text.encode(), signature)


class LogKey(NoteKey):
    """A log's key; its name is the log's origin."""

    __slots__ = ()
    KIND, TYPE = "log", b"\x01"


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note, nothing verified.

    Attributes:
        text: What is signed; ends in a newline.
        lines: (key name, key id and signature) of each signature line.
    """

    text: str
    lines: tuple[tuple[str, bytes], ...]

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """Parse a note of at most 64 KiB with at most 64 signatures; raises FormatError."""
        if len(data) > NOTE_LIMIT:
            raise FormatError(f"note: more than {NOTE_LIMIT} bytes")
        try:
            note = data.decode("utf-8")
        except UnicodeDecodeError as err:
            raise FormatError("note: not UTF-8") from err
        if CONTROL.search(note) or not note.endswith("\n"):
            raise FormatError("note: control characters, or no newline at the end")
        text, blank, rest = note[:-1].rpartition("\n\n")
        if not blank or not text or rest.count("\n") >= SIGNATURES:
            raise FormatError("note: no text, no blank line before the signatures, or too many signatures")
        return cls(text + "\n", tuple(map(parse_line, rest.split("\n"))))

    def signed_by(self, key: NoteKey) -> bool:
        """Whether a key has signed; a line is its line if name and id match.

        Raises:
            SignatureError: A line of this key does not verify.
        """
        signatures = [raw[4:] for name, raw in self.lines if name == key.name and raw[:4] == key.key_id]
        for signature in signatures:
            key.verify(self.text, signature)
        return bool(signatures)


def parse_line(line: str) -> tuple[str, bytes]:
    """Parse a signature line, without its newline, into key name and key id with signature; raises FormatError."""
    match = _LINE.fullmatch(line)
    raw = decode_b64(match[2]) if match else b""
    if match is None or len(raw) < 5:
        raise FormatError("note: a line after the last blank one is no signature")
    return match[1], raw


def open_note(data: bytes, key: LogKey) -> str:
    """Verify that a key has signed a note and return its text.

    Raises:
        FormatError: Not a signed note.
        SignatureError: The key has not signed it, or a signature of its own does not verify.
    """
    note = Note.parse(data)
    if not note.signed_by(key):
        raise SignatureError(f"note: not signed by {key.name}", rule="reg-note-3")
    return note.text
