"""What the log itself writes: signed notes and copies; reading them is note.py's and copy.py's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wmproto.crypto.signer import Signer
from wmproto.registry.copy import Header, Line
from wmproto.registry.note import CONTROL, LogKey
from wmproto.wire.dsse import Envelope
from wmproto.wire.schema import encode_b64


def sign_note(text: str, name: str, signer: Signer) -> bytes:
    """Sign a text that ends in a newline, under a log's name; returns the note."""
    if not text.endswith("\n") or text == "\n" or CONTROL.search(text):
        raise ValueError("a note's text ends in a newline, is not empty and holds no control characters")
    key = LogKey(name, signer.public)
    signature = encode_b64(key.key_id + signer.sign(text.encode()))
    return f"{text}\n\u2014 {name} {signature}\n".encode()


def write_log_copy(note: bytes, key: LogKey, entries: Iterable[tuple[str, Envelope]]) -> Iterator[bytes]:
    """The lines of a copy, each with its newline: checkpoint and key, then every entry below the checkpoint."""
    yield Header(checkpoint=note.decode(), format="wmproto/log-copy@v1", vkey=str(key)).to_bytes() + b"\n"
    for kind, envelope in entries:
        yield Line.model_validate({"envelope": envelope, "type": kind}).to_bytes() + b"\n"
