"""What logs and witnesses write: signed notes, cosignatures and copies; reading them is other files' work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wmproto.crypto.signer import Signer
from wmproto.registry.copy import Header, Line
from wmproto.registry.cosignature import WitnessKey, cosigned_message
from wmproto.registry.note import CONTROL, LogKey
from wmproto.wire.dsse import Envelope
from wmproto.wire.schema import encode_b64


def sign_note(text: str, name: str, signer: Signer) -> bytes:
    """Sign a text that ends in a newline, under a log's name; returns the note."""
    if not text.endswith("\n") or text == "\n" or CONTROL.search(text):
        raise ValueError("a note's text ends in a newline, is not empty and holds no control characters")
    key = LogKey(name, signer.public)
    return f"{text}\n{signature_line(name, key.key_id + signer.sign(text.encode()))}".encode()


def sign_cosignature(text: str, key: WitnessKey, signer: Signer, time: int) -> str:
    """Sign the text of a checkpoint as a witness; returns the signature line with its newline.

    Args:
        text: Origin, size, root and whatever lines follow; ends in a newline.
        key: The witness's key.
        signer: The same key's secret half.
        time: POSIX time in seconds, 1 to 2**63 - 1.
    """
    if signer.public != key.public or not 0 < time < 1 << 63:
        raise ValueError("another key's signer, or no time")
    signature = time.to_bytes(8, "big") + signer.sign(cosigned_message(text, time))
    return signature_line(key.name, key.key_id + signature)


def signature_line(name: str, raw: bytes) -> str:
    """A note's signature line with its newline, of what note.parse_line reads: key name, key id and signature."""
    return f"\u2014 {name} {encode_b64(raw)}\n"


def write_log_copy(note: bytes, key: LogKey, entries: Iterable[tuple[str, Envelope]]) -> Iterator[bytes]:
    """The lines of a copy, each with its newline: checkpoint and key, then every entry below the checkpoint."""
    yield Header(checkpoint=note.decode(), format="wmproto/log-copy@v1", vkey=str(key)).to_bytes() + b"\n"
    for kind, envelope in entries:
        yield Line.model_validate({"envelope": envelope, "type": kind}).to_bytes() + b"\n"
