"""C2SP signed notes with Ed25519 (type 0x01), strict: what is accepted has one reading (c2sp.org/signed-note).

Lines of unknown keys are passed over; a line of the known key that does not verify refuses the note.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from wmproto.crypto.signing import check_public_key, verify_signature
from wmproto.errors import FormatError, SignatureError
from wmproto.wire.framing import sha256
from wmproto.wire.schema import decode_b64, encode_b64

NOTE_LIMIT = 64 << 10  # bytes
_SIGNATURES = 64
_TYPE = b"\x01"
# Unicode's White_Space, written out: str.isspace() and \s follow the Python at hand, and auditors must not disagree.
_SPACES = " \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NAME = re.compile(f"[^{_SPACES}+\x00-\x1f\x7f-\x9f]+")
_LINE = re.compile(f"\u2014 ([^{_SPACES}+]+) ([A-Za-z0-9+/=]+)")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class LogKey:
    """A log's verifier key ("vkey").

    Attributes:
        name: The log's name, which is its origin: 1 to 256 bytes of UTF-8, no spaces, no plus, no control characters.
        public: Ed25519 public key, 32 bytes.

    Raises:
        FormatError: The name or the key is not acceptable.
    """

    name: str
    public: bytes

    def __post_init__(self) -> None:
        try:
            size = len(self.name.encode())
            check_public_key(self.public)
        except UnicodeEncodeError:
            raise FormatError("log name: not UTF-8") from None
        except SignatureError as err:
            raise FormatError(f"log key: {err}") from None
        if size > 256 or not _NAME.fullmatch(self.name):
            raise FormatError("log name: not 1 to 256 bytes without spaces, plus and control characters")

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name || LF || type || public key)."""
        return sha256(self.name.encode() + b"\n" + _TYPE + self.public)[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode_b64(_TYPE + self.public)}"

    @classmethod
    def parse(cls, text: str) -> LogKey:
        """Parse ``name+hex key id+base64(type || public key)``.

        Raises:
            FormatError: Not an Ed25519 verifier key in this very form.
        """
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise FormatError("verifier key: not name+id+key", hint="registry new prints it")
        raw = decode_b64(parts[2])
        if raw[:1] != _TYPE:
            raise FormatError("verifier key: not an Ed25519 key")
        key = cls(parts[0], raw[1:])
        if str(key) != text:
            raise FormatError("verifier key: the id is another key's")
        return key


def open_note(data: bytes, key: LogKey) -> str:
    """Verify a note and return its text.

    Args:
        data: The note, at most 64 KiB with at most 64 signatures.
        key: The one key that must have signed; a line is its line if name and id match.

    Raises:
        FormatError: Not a signed note.
        SignatureError: The key has not signed it, or a signature of its own does not verify.
    """
    if len(data) > NOTE_LIMIT:
        raise FormatError(f"note: more than {NOTE_LIMIT} bytes")
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError as err:
        raise FormatError("note: not UTF-8") from err
    if CONTROL.search(note) or not note.endswith("\n"):
        raise FormatError("note: control characters, or no newline at the end")
    text, blank, rest = note[:-1].rpartition("\n\n")
    lines = rest.split("\n")
    if not blank or not text or len(lines) > _SIGNATURES:
        raise FormatError("note: no text, no blank line before the signatures, or too many signatures")
    text += "\n"
    known = False
    for line in lines:
        match = _LINE.fullmatch(line)
        raw = decode_b64(match[2]) if match else b""
        if match is None or len(raw) < 5:
            raise FormatError("note: a line after the last blank one is no signature")
        if match[1] == key.name and raw[:4] == key.key_id:
            verify_signature(key.public, text.encode(), raw[4:])
            known = True
    if not known:
        raise SignatureError(f"note: not signed by {key.name}", rule="reg-note-3")
    return text
