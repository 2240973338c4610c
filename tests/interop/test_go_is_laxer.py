"""Where Go's note package is laxer than wmproto, by purpose: the reason stands beside each case."""

from base64 import b64encode
from hashlib import sha256

import pytest
from debian import needs
from log_samples import NAME, signer
from note_samples import BODY, CHECKPOINT, LOG, STRANGER, asks, bad, lines, note, said, verdict

from wmproto.errors import FormatError
from wmproto.registry.note import NOTE_LIMIT, LogKey
from wmproto.registry.writing import signature_line

pytestmark = needs("golang-go", "golang-golang-x-mod-dev")

LAXER = {
    # Two texts for one signature: what is accepted shall have one reading (reg-note-2).
    "bits beyond the last byte of base64": BODY
    + lines(CHECKPOINT, LOG)
    + signature_line("s", bytes(5)).encode().replace(b"AAAA=", b"AAAB="),
    # A line of a known key that does not verify refuses the note, also behind a good one (reg-note-3).
    "a good line of the log, then a bad one": BODY + lines(CHECKPOINT, LOG) + bad(lines(CHECKPOINT, LOG)),
    # 64 lines at most (reg-note-1); Go takes 100.
    "64 strangers": BODY + lines(CHECKPOINT, LOG) + STRANGER * 64,
    # A text of nothing (reg-note-1).
    "an empty line for a text": b"\n\n" + signature_line(NAME, LOG.key_id + signer("log").sign(b"\n")).encode(),
    # 64 KiB at most (reg-note-1).
    "a long note": note("x" * NOTE_LIMIT + "\n", LOG),
}


@pytest.mark.parametrize("name", LAXER)
def test_go_takes_and_wmproto_refuses(go, name):
    [answer] = go([asks(LAXER[name], LOG)])
    assert answer["error"] == ""
    assert verdict(LAXER[name], LOG) is None


def vkey(name, public, kind=b"\x01"):
    key_id = sha256(name.encode() + b"\n" + kind + public).digest()[:4]
    return f"{name}+{key_id.hex()}+{b64encode(kind + public).decode()}"


EVERYBODYS = bytes([1]) + bytes(31)  # the neutral point: R = the same and S = 0 is its signature over anything
GO_TAKES = {
    "upper case in the key id": str(LOG).replace(LOG.key_id.hex(), LOG.key_id.hex().upper()),
    "a line break in the base64": str(LOG)[:-4] + "\n" + str(LOG)[-4:],
    "a control character in the name": vkey("a\x7fb", LOG.public),
    "a name of 257 bytes": vkey("x" * 257, LOG.public),
    "a key of small order": vkey("x", EVERYBODYS),
}
BOTH_REFUSE = {
    "another id": str(LOG).replace(LOG.key_id.hex(), "00000000"),
    "an id of seven digits": str(LOG).replace(LOG.key_id.hex(), LOG.key_id.hex()[:7]),
    "no name": vkey("", LOG.public),
    "a space in the name": vkey("a b", LOG.public),
    "a plus in the name": vkey("a+b", LOG.public),
    "31 bytes": vkey("x", LOG.public[:31]),
    "33 bytes": vkey("x", LOG.public + b"\x00"),
    "type 2": vkey("x", LOG.public, b"\x02"),
    "type 6": vkey("x", bytes(1312), b"\x06"),
    "a letter less": str(LOG)[:-1],
}


def test_vkeys_that_only_go_takes(go):
    assert LOG.key_id.hex().upper() != LOG.key_id.hex()
    for answer in go([asks(BODY + STRANGER, text) for text in GO_TAKES.values()]):
        assert answer["error"] == "note has no verifiable signatures"  # the key is taken; nobody has signed
    for text in GO_TAKES.values():
        with pytest.raises(FormatError):
            LogKey.parse(text)


def test_a_key_of_small_order_signs_everything_for_go_and_no_key_for_wmproto(go):
    text = GO_TAKES["a key of small order"]
    key_id = bytes.fromhex(text.split("+")[1])
    forged = CHECKPOINT.encode() + b"\n" + signature_line("x", key_id + EVERYBODYS + bytes(32)).encode()
    assert said(go([asks(forged, text)])[0]) == (CHECKPOINT, ["x"])
    with pytest.raises(FormatError):
        LogKey.parse(text)


def test_vkeys_that_both_refuse(go):
    for answer in go([asks(BODY + STRANGER, text) for text in BOTH_REFUSE.values()]):
        assert answer["error"] in ("malformed verifier id", "unknown verifier algorithm", "invalid verifier hash")
    for text in BOTH_REFUSE.values():
        with pytest.raises(FormatError):
            LogKey.parse(text)
