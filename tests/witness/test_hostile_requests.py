"""Whatever bytes a witness is sent, it says what is wrong in one line, and its state does not change."""

import re
import sqlite3
from contextlib import closing, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from witness_samples import (
    FORKED,
    LEAVES,
    LOG,
    LOG_KEY,
    NAME,
    ORIGIN,
    OTHER_LOG,
    WITNESS,
    WITNESS_KEY,
    b64,
    note,
    request,
    rows,
    size_of,
    text_of,
    verify_line,
    witness_at,
)

from wmproto.errors import FormatError
from wmproto.registry.add_checkpoint import ADD_CHECKPOINT_LIMIT, AddCheckpoint, write_add_checkpoint
from wmproto.registry.note import NOTE_LIMIT, Note
from wmproto.registry.writing import sign_note

HASH = b64(LEAVES[0])
GOOD = request(5, 8)


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A witness that has cosigned five entries, and its state's file."""
    path = tmp_path_factory.mktemp("hostile") / "state"
    witness = witness_at(path)
    assert witness.add_checkpoint(request(0, 5)).status == 200
    return witness, path


def head(text):
    """A request with another beginning."""
    return text.encode() + b"\n\n" + note(8)


def signed_text(text):
    """A request whose checkpoint is any signed text."""
    return b"old 5\n\n" + sign_note(text, ORIGIN, LOG)


ROOT = text_of(note(8)).split("\n")[2]
CASES = {
    "nothing": (b"", 400),
    "a newline": (b"\n", 400),
    "a note alone": (note(8), 400),
    "no blank line": (GOOD.replace(b"\n\n", b"\n", 1), 400),
    "no note": (b"old 5\n\n", 400),
    "no newline at the end": (GOOD[:-1], 400),
    "CRLF": (GOOD.replace(b"\n", b"\r\n"), 400),
    "CR in the old line": (head("old 5\r"), 400),
    "NUL at the end": (GOOD + b"\0", 400),
    "NUL in the head": (head("old 5\0"), 400),
    "NUL in the origin": (GOOD.replace(b"log.test", b"log\0test"), 400),
    "not UTF-8": (GOOD.replace(b"log.test", b"log\xfftest"), 400),
    "not ASCII in the head": (head("old 5\n\u00e4"), 400),
    "old +5": (head("old +5"), 400),
    "old -5": (head("old -5"), 400),
    "old 05": (head("old 05"), 400),
    "old 5 with a blank": (head("old 5 "), 400),
    "two blanks": (head("old  5"), 400),
    "a tab": (head("old\t5"), 400),
    "OLD 5": (head("OLD 5"), 400),
    "old alone": (head("old"), 400),
    "old of nothing": (head("old "), 400),
    "old 1_0": (head("old 1_0"), 400),
    "old 5.0": (head("old 5.0"), 400),
    "old 0x5": (head("old 0x5"), 400),
    "old of 2**63": (head(f"old {1 << 63}"), 400),
    "old of 5000 digits": (head("old " + "9" * 5000), 400),
    "old in Arabic digits": (head("old \u0665"), 400),
    "old in full-width digits": (head("old \uff15"), 400),
    "two old lines": (head("old 5\nold 5"), 400),
    "the old line last": (head(f"{HASH}\nold 5"), 400),
    "64 lines of proof": (head("\n".join(["old 5", *[HASH] * 64])), 400),
    "63 lines of proof": (head("\n".join(["old 5", *[HASH] * 63])), 422),
    "a hash of 31 bytes": (head("old 5\n" + b64(bytes(31))), 400),
    "a hash of 33 bytes": (head("old 5\n" + b64(bytes(33))), 400),
    "an empty hash line": (head("old 5\n"), 400),
    "junk in base64": (head("old 5\n" + HASH[:20] + "*" + HASH[21:]), 400),
    "a blank in base64": (head("old 5\n" + HASH + " "), 400),
    "no padding": (head("old 5\n" + HASH.rstrip("=")), 400),
    "base64 with other bits": (head("old 5\n" + HASH[:-2] + chr(ord(HASH[-2]) + 1) + "="), 400),
    "URL-safe base64": (head("old 5\n" + "_" + HASH[1:]), 400),
    "more than fits": (GOOD + b"x" * ADD_CHECKPOINT_LIMIT, 413),
    "one byte too many": (GOOD.ljust(ADD_CHECKPOINT_LIMIT + 1, b"x"), 413),
    "a note too large": (signed_text(f"{ORIGIN}\n8\n{ROOT}\n{'x' * NOTE_LIMIT}\n"), 400),
    "a text without room for our line": (signed_text(f"{ORIGIN}\n8\n{ROOT}\n{'x' * (NOTE_LIMIT - 700)}\n"), 400),
    "two lines": (signed_text(f"{ORIGIN}\n8\n"), 400),
    "one line": (signed_text(f"{ORIGIN}\n"), 400),
    "an empty extension line": (signed_text(f"{ORIGIN}\n8\n{ROOT}\n\nx\n"), 400),
    "an empty line before the signature": (signed_text(f"{ORIGIN}\n8\n{ROOT}\n\n"), 400),
    "an empty line before the root": (signed_text(f"{ORIGIN}\n8\n\n{ROOT}\n"), 400),
    "a size of +8": (signed_text(f"{ORIGIN}\n+8\n{ROOT}\n"), 400),
    "a size of 08": (signed_text(f"{ORIGIN}\n08\n{ROOT}\n"), 400),
    "a size of 2**63": (signed_text(f"{ORIGIN}\n{1 << 63}\n{ROOT}\n"), 400),
    "a size in Arabic digits": (signed_text(f"{ORIGIN}\n\u0668\n{ROOT}\n"), 400),
    "a root of 31 bytes": (signed_text(f"{ORIGIN}\n8\n{b64(bytes(31))}\n"), 400),
    "a root with junk": (signed_text(f"{ORIGIN}\n8\n{ROOT}*\n"), 400),
    "65 signatures": (GOOD + GOOD[GOOD.rindex(b"\n\n") + 2 :] * 64, 400),
    "a line that is no signature": (GOOD + b"hello\n", 400),
    "another origin": (request(5, 8, origin="log.test/2"), 404),
    "another origin, badly signed": (request(5, 8, origin="log.test/2", by=OTHER_LOG), 404),
    "an origin like it": (GOOD.replace(b"log.test/1\n", b"log.test/1\xc2\xa0\n"), 404),
    "another key": (request(5, 8, by=OTHER_LOG), 403),
    "signed by the witness itself": (request(5, 8, by=WITNESS), 403),
    "a signature of other bytes": (GOOD.replace(b"\n8\n", b"\n9\n"), 403),
    "a root changed": (GOOD.replace(ROOT.encode(), b64(bytes(32)).encode()), 403),
    "a good and a bad line of the log": (GOOD + note(7)[note(7).rindex(b"\n\n") + 2 :], 403),
    "old above the size": (request(5, 4, proof=[]), 400),
    "old above the size and not ours": (request(9, 8, proof=[]), 400),
    "another old": (request(4, 8), 409),
    "old 0": (request(0, 8), 409),
    "no proof": (request(5, 8, proof=[]), 422),
    "a proof too long": (request(5, 8, proof=[*AddCheckpoint.parse(GOOD).proof, LEAVES[0]]), 422),
    "a proof too short": (request(5, 8, proof=AddCheckpoint.parse(GOOD).proof[:-1]), 422),
    "a proof in another order": (request(5, 8, proof=AddCheckpoint.parse(GOOD).proof[::-1]), 422),
    "a hash twice": (
        request(5, 8, proof=[*AddCheckpoint.parse(GOOD).proof[:1], *AddCheckpoint.parse(GOOD).proof]),
        422,
    ),
    "a proof though nothing grew": (request(5, 5, proof=[LEAVES[0]]), 422),
    "another root of the same size": (request(5, 5, root=bytes(32)), 422),
    "a fork": (request(5, 8, [*FORKED[4:9], *FORKED]), 422),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_in_one_line_and_nothing_changes(asked, name):
    witness, path = asked
    body, status = CASES[name]
    before = rows(path)
    answer = witness.add_checkpoint(body)
    assert answer.status == status, answer
    assert rows(path) == before
    if status == 409:
        assert (answer.body, answer.content_type) == (b"5\n", "text/x.tlog.size")
    else:
        assert re.fullmatch(r"[ -~]{10,200}\n", answer.body.decode()), answer.body
        assert answer.content_type == "text/plain; charset=utf-8"


def test_the_good_request_is_good(tmp_path):
    witness = witness_at(tmp_path / "state")
    assert witness.add_checkpoint(request(0, 5)).status == 200
    answer = witness.add_checkpoint(GOOD)
    assert answer.status == 200
    verify_line(answer.body.decode(), text_of(note(8)))
    assert size_of(tmp_path / "state") == 8


def test_only_one_line_of_the_log_is_kept_and_nobody_elses(tmp_path):
    witness, path = witness_at(tmp_path / "state"), tmp_path / "state"
    line = note(5)[note(5).rindex(b"\n\n") + 2 :]
    stranger = sign_note("x\n", "somebody", OTHER_LOG)[3:]
    own = b"\xe2\x80\x94 %s %s\n" % (NAME.encode(), b64(WITNESS_KEY.key_id + bytes(72)).encode())
    assert witness.add_checkpoint(request(0, 5) + line + own + line + stranger).status == 200
    kept = Note.parse(rows(path)["logs"][0][2])
    assert [name for name, _ in kept.lines] == [ORIGIN, NAME]
    assert kept.signed_by(LOG_KEY)
    assert kept.signed_by(WITNESS_KEY)


def test_the_longest_text_that_is_taken_can_be_read_back(tmp_path):
    witness, path = witness_at(tmp_path / "state"), tmp_path / "state"
    more = "x" * (NOTE_LIMIT - 1024 - len(text_of(note(5)).encode()) - 1) + "\n"
    assert witness.add_checkpoint(request(0, 5, more=f"x{more}")).status == 400
    assert witness.add_checkpoint(request(0, 5, more=more)).status == 200
    assert witness.add_checkpoint(GOOD).status == 200
    assert size_of(path) == 8


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_mutation_of_a_good_request_is_cosigned(asked, data):
    """Bytes changed, cut out, doubled: none of it is what the log signed, so nothing of it may pass."""
    witness, path = asked
    at = data.draw(st.integers(0, len(GOOD) - 1))
    length = data.draw(st.integers(0, 8))
    put = data.draw(st.one_of(st.binary(max_size=8), st.just(GOOD[at : at + length] * 2)))
    body = GOOD[:at] + put + GOOD[at + length :]
    before = rows(path)
    answer = witness.add_checkpoint(body)
    if body != GOOD and answer.status == 200:  # a line of signatures more or less is no other checkpoint
        kept = AddCheckpoint.parse(body)
        assert (kept.note.text, kept.old, kept.proof) == (text_of(note(8)), 5, AddCheckpoint.parse(GOOD).proof)
    elif answer.status != 200:
        assert rows(path) == before
    if answer.status == 200:  # back to five entries, for the next example
        _back(path, before)


def _back(path, before):
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE logs SET note = ? WHERE origin = ?", (before["logs"][0][2], ORIGIN))
        db.commit()


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_parsing_raises_nothing_but_format_errors(data):
    for body in (data, b"old 0\n" + data, b"old 0\n\n" + data):
        with suppress(FormatError):
            AddCheckpoint.parse(body)


def test_too_much_is_not_even_looked_at():
    with pytest.raises(FormatError, match=f"^more than {ADD_CHECKPOINT_LIMIT} bytes"):
        AddCheckpoint.parse(b"x" * (ADD_CHECKPOINT_LIMIT + 1))


def test_what_is_written_is_what_is_read():
    parsed = AddCheckpoint.parse(GOOD)
    assert write_add_checkpoint(parsed.old, parsed.proof, note(8)) == GOOD
    assert (parsed.old, parsed.checkpoint.size, parsed.checkpoint.origin) == (5, 8, ORIGIN)
