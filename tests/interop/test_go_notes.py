"""Verifier keys, notes and cosignatures against Go's sumdb/note: written and read both ways, and refused alike."""

from base64 import b64decode, b64encode

import pytest
from debian import needs
from log_samples import NAME, signer
from note_samples import (
    BODY,
    CHECKPOINT,
    LOG,
    STRANGER,
    TIMES,
    W1,
    W2,
    W3,
    asks,
    bad,
    lines,
    note,
    said,
    signs,
    verdict,
)

from wmproto.registry.checkpoint import verify_checkpoint
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.entry import entry_leaf
from wmproto.registry.log import Log
from wmproto.registry.note import LogKey, Note
from wmproto.registry.policy import LogPolicy
from wmproto.registry.writing import sign_note, signature_line

pytestmark = needs("golang-go", "golang-golang-x-mod-dev")
NAMES = [
    NAME,
    "a",
    "-",
    "=",
    "l\u00f6g.example",
    "\u8a18\u9332.example/\u4e00",
    "\U0001f4dc",
    "e\u0301",
    "\u200b",
    "\u2014",
    "x" * 256,
]
TEXTS = [
    CHECKPOINT,
    "one line\n",
    "a\n\nb\n\n\nc\n",
    "\nbegins with an empty line\n",
    "ends with one\n\n",
    "\n\n",
    f"a\n\n\u2014 {NAME} AAAAAAA=\n",  # looks like a note
    "\u00fc\u8a18\U0001f4dc\x7f\x80\u2028\n",
    f"{CHECKPOINT}an extension\nand another\n",
    "x" * 50_000 + "\n",
]


# --- what one writes the other reads, to the byte ---------------------------------------------------------------


def test_go_and_wmproto_write_the_same_keys_and_notes(go):
    cases = [(name, text) for name in NAMES for text in TEXTS]
    for (name, text), answer in zip(cases, go([signs(text, (name, "log", 0)) for name, text in cases]), strict=True):
        key = LogKey(name, signer("log").public)
        assert (answer["error"], answer["vkeys"]) == ("", [str(key)])
        ours = sign_note(text, name, signer("log"))
        assert b64encode(ours).decode() == answer["note"]
        assert LogKey.parse(answer["vkeys"][0]) == key
        assert verdict(ours, key) == (text, [name])


def test_go_opens_notes_of_wmproto(go):
    cases = [(LogKey(name, signer("log").public), text) for name in NAMES for text in TEXTS]
    answers = go([asks(sign_note(text, key.name, signer("log")), key) for key, text in cases])
    assert [said(answer) for answer in answers] == [(text, [key.name]) for key, text in cases]


def test_cosignatures_are_the_same_both_ways(go):
    """By a verifier of type 04 that stands in checker.go: Go's own package does not know cosignatures."""
    everybody = [(NAME, "log", 0)] + [(key.name, f"witness{n}", TIMES[key]) for n, key in enumerate((W1, W2, W3), 1)]
    signed = go([signs(text, *everybody) for text in TEXTS])
    for text, answer in zip(TEXTS, signed, strict=True):
        assert (answer["error"], answer["vkeys"]) == ("", [str(key) for key in (LOG, W1, W2, W3)])
        assert answer["note"] == b64encode(note(text, LOG, W1, W2, W3)).decode()
        assert [WitnessKey.parse(vkey) for vkey in answer["vkeys"][1:]] == [W1, W2, W3]
    for known in ((LOG,), (W2,), (W3, LOG), (LOG, W1, W2, W3)):
        for text, answer in zip(TEXTS, go([asks(note(text, LOG, W1, W2, W3), *known) for text in TEXTS]), strict=True):
            assert said(answer) == (text, sorted(key.name for key in known))
            assert len(answer["unverified"] or ()) == 4 - len(known) if len(known) < 4 else "unverified" not in answer
            assert said(answer) == verdict(note(text, LOG, W1, W2, W3), *known)


def test_go_opens_every_checkpoint_of_a_log(go, log):
    notes = [receipt.split(b"\n\n", 1)[1] for receipt in every_receipt(log)] + [log.checkpoint()]
    answers = go([asks(one, log.key) for one in notes])
    assert [said(answer) for answer in answers] == [(verify_checkpoint(one, log.key).text, [NAME]) for one in notes]


def every_receipt(log):
    leaf = log_leaf(log)
    return [log.receipts([leaf], size=size)[0] for size in range(1, len(log.entries()) + 1)]


def log_leaf(log):
    _, kind, envelope = log.entries()[0]
    return entry_leaf(log.profile, kind, envelope)


def test_a_log_keeps_the_cosignatures_of_gos_witnesses_and_go_reads_them(go, tmp_path):
    log = Log.create(tmp_path / "registry.db", NAME, signer("log"))
    text = verify_checkpoint(log.checkpoint(), log.key).text
    witnesses = [(key.name, f"witness{n}", TIMES[key]) for n, key in enumerate((W1, W2), 1)]
    [answer] = go([signs(text, (NAME, "log", 0), *witnesses)])
    theirs = Note.parse(b64decode(answer["note"]))
    log.keep_cosignatures(0, dict(zip((W1, W2), (signature_line(*one) for one in theirs.lines[1:]), strict=True)))
    cosigned = log.checkpoint()
    assert said(go([asks(cosigned, W1, W2, log.key)])[0]) == (text, sorted([NAME, W1.name, W2.name]))
    policy = f"log {log.vkey}\nwitness a {W1}\nwitness b {W2}\ngroup g all a b\nquorum g\n"
    assert LogPolicy.parse(policy.encode()).verify(cosigned, strict=True).size == 0
    log.close()


# --- what one refuses the other refuses -------------------------------------------------------------------------


def signed_by_hand(text):
    """The log's note of a text that the log itself would not sign."""
    return f"{text}\n{signature_line(NAME, LOG.key_id + signer('log').sign(text.encode()))}".encode()


OTHER_ID = signature_line(NAME, b"\xff\xff\xff\xff" + bytes(64)).encode()
SAME = {
    "no signature of a known key": BODY + STRANGER,
    "strangers before and after": BODY + STRANGER + lines(CHECKPOINT, LOG) + STRANGER,
    "the log's name, another id": BODY + OTHER_ID + lines(CHECKPOINT, LOG),
    "a witness's id under the log's name": BODY
    + lines(CHECKPOINT, LOG)
    + lines(CHECKPOINT, W1).replace(W1.name.encode(), NAME.encode()),
    "the log's line twice": BODY + lines(CHECKPOINT, LOG, LOG),
    "a bad line of the log": BODY + bad(lines(CHECKPOINT, LOG)),
    "a bad line of the log, then a good one": BODY + bad(lines(CHECKPOINT, LOG)) + lines(CHECKPOINT, LOG),
    "a bad line of a witness": BODY + lines(CHECKPOINT, LOG) + bad(lines(CHECKPOINT, W1)),
    "a bad line of a witness, then a good one": BODY + bad(lines(CHECKPOINT, W1)) + lines(CHECKPOINT, W1, LOG),
    "another time": BODY + bad(lines(CHECKPOINT, W1), lines(CHECKPOINT, W1).rindex(b" ") + 15),
    "a bad line of a witness that is not asked": BODY + lines(CHECKPOINT, LOG) + bad(lines(CHECKPOINT, W3)),
    "another text": b"x" + BODY + lines(CHECKPOINT, LOG),
    "a newline more in the text": CHECKPOINT.encode() + b"\n\n" + lines(CHECKPOINT, LOG),
    "no empty line": CHECKPOINT.encode() + lines(CHECKPOINT, LOG),
    "no lines": BODY,
    "only the lines": b"\n" + lines(CHECKPOINT, LOG),
    "no newline at the end": (BODY + lines(CHECKPOINT, LOG))[:-1],
    "two newlines at the end": BODY + lines(CHECKPOINT, LOG) + b"\n",
    "something after the lines": BODY + lines(CHECKPOINT, LOG) + b"text\n",
    "nothing": b"",
    "not UTF-8 in the text": b"\xff" + BODY + lines(CHECKPOINT, LOG),
    "not UTF-8 in a name": BODY + lines(CHECKPOINT, LOG) + STRANGER.replace(b"stranger", b"\xc3("),
    "a surrogate": b"\xed\xa0\x80" + BODY + lines(CHECKPOINT, LOG),
    "a null byte": BODY + lines(CHECKPOINT, LOG) + STRANGER.replace(b"stranger", b"\x00"),
    "a tab": BODY + lines(CHECKPOINT, LOG) + STRANGER.replace(b" stranger", b"\tstranger"),
    **{
        f"U+{code:04X} in the text, signed": signed_by_hand(f"a{chr(code)}b\n") for code in (0, 9, 13, 31, 32, 127, 133)
    },
    "carriage returns": (BODY + lines(CHECKPOINT, LOG)).replace(b"\n", b"\r\n"),
    "a hyphen for the dash": BODY + lines(CHECKPOINT, LOG).replace("\u2014".encode(), b"-"),
    "two spaces": BODY + lines(CHECKPOINT, LOG) + STRANGER.replace(b".example ", b".example  "),
    "a space at the end": BODY + lines(CHECKPOINT, LOG) + STRANGER[:-1] + b" \n",
    "no name": BODY + lines(CHECKPOINT, LOG) + STRANGER.replace(b"stranger.example", b""),
    "a plus in a name": BODY + lines(CHECKPOINT, LOG) + STRANGER.replace(b"stranger", b"a+b"),
    "a no-break space in a name": BODY + lines(CHECKPOINT, LOG) + STRANGER.replace(b"stranger", b"\xc2\xa0"),
    "next line in a name": BODY + lines(CHECKPOINT, LOG) + STRANGER.replace(b"stranger", b"\xc2\x85"),
    "a wide space in a name": BODY + lines(CHECKPOINT, LOG) + STRANGER.replace(b"stranger", "\u3000".encode()),
    "a zero-width space in a name": BODY + lines(CHECKPOINT, LOG) + STRANGER.replace(b"stranger", "\u200b".encode()),
    "a delete in a name": BODY + lines(CHECKPOINT, LOG) + STRANGER.replace(b"stranger", b"\x7f"),
    "four bytes of signature": BODY + lines(CHECKPOINT, LOG) + signature_line("s", bytes(4)).encode(),
    "five bytes of signature": BODY + lines(CHECKPOINT, LOG) + signature_line("s", bytes(5)).encode(),
    "no padding": BODY + lines(CHECKPOINT, LOG) + STRANGER.replace(b"=", b""),
    "the other base64": BODY + lines(CHECKPOINT, LOG) + STRANGER.replace(b"AAAA", b"A-_A"),
    "63 strangers": BODY + lines(CHECKPOINT, LOG) + STRANGER * 63,
    "100 strangers": BODY + STRANGER * 100 + lines(CHECKPOINT, LOG),
}


@pytest.mark.parametrize("name", SAME)
def test_go_and_wmproto_agree_on(go, name):
    for known in ((LOG,), (LOG, W1), (LOG, W1, W2)):
        [answer] = go([asks(SAME[name], *known)])
        assert said(answer) == verdict(SAME[name], *known)


def test_the_table_of_notes_has_both_kinds():
    accepted = [name for name in SAME if verdict(SAME[name], LOG, W1)]
    assert 8 < len(accepted) <= len(SAME) - 20


def test_whatever_byte_of_a_note_changes_go_and_wmproto_agree(go):
    """But for base64 of an unknown key that is not canonical: only Go takes that."""
    whole = note(CHECKPOINT, LOG, W1, W2)
    cases = [whole[:at] + put + whole[at + 1 :] for at in range(len(whole)) for put in bytes_instead(whole[at])]
    laxer = 0
    for case, answer in zip(cases, go([asks(case, LOG, W1) for case in cases]), strict=True):
        ours, theirs = verdict(case, LOG, W1), said(answer)
        if ours != theirs:
            assert ours is None, case
            assert not canonical(case), case
            laxer += 1
    assert 0 < laxer < 10
    assert len(cases) > 2000


def bytes_instead(byte):
    yield b""
    yield from (bytes([new]) for new in {byte ^ 1, byte ^ 0x20, ord("\n"), ord("="), ord("+"), ord("A")} - {byte})


def canonical(case):
    texts = [line.split(b" ")[-1] for line in case.split(b"\n")[4:-1]]
    return all(b64encode(b64decode(text)) == text for text in texts)
