"""Signing a note; verifying is note.open_note's."""

from __future__ import annotations

from wmproto.crypto.signer import Signer
from wmproto.registry.note import CONTROL, LogKey
from wmproto.wire.schema import encode_b64


def sign_note(text: str, name: str, signer: Signer) -> bytes:
    """Sign a text that ends in a newline, under a log's name; returns the note."""
    if not text.endswith("\n") or text == "\n" or CONTROL.search(text):
        raise ValueError("a note's text ends in a newline, is not empty and holds no control characters")
    key = LogKey(name, signer.public)
    signature = encode_b64(key.key_id + signer.sign(text.encode()))
    return f"{text}\n\u2014 {name} {signature}\n".encode()
