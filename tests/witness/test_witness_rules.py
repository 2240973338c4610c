"""What a witness promises: it cosigns only what extends all that it cosigned, and its clock goes one way."""

import sqlite3
from contextlib import closing
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_samples import naive_root, signer
from witness_samples import (
    FORKED,
    LEAVES,
    LOG,
    LOG_KEY,
    NAME,
    NOW,
    ORIGIN,
    OTHER_LOG,
    WITNESS,
    WITNESS_KEY,
    Clock,
    note,
    request,
    rows,
    size_of,
    text_of,
    time_of,
    verify_line,
    witness_at,
)

from wmproto.errors import ConfigError, ConflictError, CorruptStoreError, NotFoundError, RegistryError, SignatureError
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.heads import Heads
from wmproto.registry.log import Log
from wmproto.registry.note import LogKey, Note
from wmproto.registry.witness import Witness
from wmproto.registry.writing import sign_cosignature, sign_note

HASH = sha256(ORIGIN.encode()).hexdigest()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state"


def grown(path, *sizes, clock=None):
    witness, last = witness_at(path, clock=clock), 0
    for size in sizes:
        assert witness.add_checkpoint(request(last, size)).status == 200
        last = size
    return witness


def reopened(path, logs=(LOG_KEY,), clock=None):
    return Witness(Heads.open(path), WITNESS, logs, clock or Clock())


def edit(path, sql, *args):
    with closing(sqlite3.connect(path)) as db:
        db.execute(sql, args)
        db.commit()


# --- growing ------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(0, 40), min_size=1, max_size=5), forked=st.integers(0, 4))
def test_it_cosigns_exactly_what_extends_the_last(tmp_path_factory, sizes, forked):
    """The rule, against a naive tree: the leaves below the last size must be the same."""
    path = tmp_path_factory.mktemp("grow") / "state"
    witness, last = witness_at(path), []
    for at, size in enumerate(sizes):
        leaves = FORKED if at == forked else LEAVES
        answer = witness.add_checkpoint(request(len(last), size, leaves))
        extends = size >= len(last) and naive_root(leaves[: len(last)]) == naive_root(last)
        assert answer.status == (200 if extends else 400 if size < len(last) else 422)
        if extends:
            last = leaves[:size]
            verify_line(answer.body.decode(), text_of(note(size, leaves)))
    assert size_of(path) == len(last)


def test_the_empty_log_is_cosigned_and_only_with_the_root_of_nothing(path):
    witness = witness_at(path)
    assert witness.add_checkpoint(request(0, 0, root=bytes(32))).status == 422
    assert witness.add_checkpoint(request(0, 0)).status == 200
    assert witness.add_checkpoint(request(0, 0)).status == 200
    assert witness.add_checkpoint(request(0, 3)).status == 200
    assert witness.add_checkpoint(request(0, 0)).status == 409


def test_from_nothing_no_proof_is_taken(path):
    assert witness_at(path).add_checkpoint(request(0, 3, proof=[LEAVES[0]])).status == 422
    assert size_of(path) == 0


def test_a_fork_is_refused_for_ever_also_after_a_restart(path):
    grown(path, 7)
    before = rows(path)
    for witness in (reopened(path), reopened(path)):
        for size in (7, 8, 12, 40):
            for leaves in (FORKED, LEAVES[1:]):
                assert witness.add_checkpoint(request(7, size, leaves)).status == 422
    assert rows(path) == before
    assert reopened(path).add_checkpoint(request(7, 8)).status == 200


def test_a_log_that_was_rolled_back_is_not_helped(path):
    witness = grown(path, 7, 9)
    before = rows(path)
    assert witness.add_checkpoint(request(7, 8)).body == b"9\n"  # what it knew of us
    assert witness.add_checkpoint(request(7, 7)).status == 409
    assert witness.add_checkpoint(request(9, 8, proof=[])).status == 400
    assert witness.add_checkpoint(request(9, 9, FORKED)).status == 422
    assert rows(path) == before


def test_the_same_checkpoint_again_is_cosigned_again(path):
    witness = grown(path, 7)
    for _ in range(3):
        verify_line(witness.add_checkpoint(request(7, 7)).body.decode(), text_of(note(7)))


def test_extension_lines_are_signed_with_the_rest(path):
    witness = grown(path, 5)
    answer = witness.add_checkpoint(request(5, 8, more="ext 1\next 2\n"))
    assert answer.status == 200
    verify_line(answer.body.decode(), text_of(note(8, more="ext 1\next 2\n")))
    with pytest.raises(SignatureError):
        verify_line(answer.body.decode(), text_of(note(8)))
    assert witness.add_checkpoint(request(8, 9)).status == 200


def test_logs_are_kept_apart(path):
    other = LogKey("log.test/2", OTHER_LOG.public)
    witness = witness_at(path, [LOG_KEY, other])
    assert witness.add_checkpoint(request(0, 7)).status == 200
    assert witness.add_checkpoint(request(0, 3, FORKED, origin=other.name, by=OTHER_LOG)).status == 200
    assert witness.add_checkpoint(request(0, 3, FORKED, origin=other.name, by=LOG)).status == 403
    assert (size_of(path), size_of(path, other.name)) == (7, 3)


# --- the clock (reg-witness-8) ------------------------------------------------------------------------------------


def test_a_clock_that_was_set_back_sets_no_cosignature_back(path):
    clock, times = Clock(), []
    witness = grown(path, 3, clock=clock)
    for size, now in ((5, NOW + 10), (7, NOW - 1000), (7, 0), (8, -5), (9, NOW + 5), (11, NOW + 11)):
        clock.now = now
        line = witness.add_checkpoint(request(size_of(path), size)).body.decode()
        verify_line(line, text_of(note(size)))
        times.append(time_of(line))
    assert times == [NOW + 10] * 5 + [NOW + 11]
    late = reopened(path, clock=Clock(NOW))
    assert time_of(late.add_checkpoint(request(11, 12)).body.decode()) == NOW + 11


def test_one_logs_time_is_not_anothers(path):
    other = LogKey("log.test/2", OTHER_LOG.public)
    clock = Clock(NOW + 100)
    witness = witness_at(path, [LOG_KEY, other], clock)
    witness.add_checkpoint(request(0, 3))
    clock.now = NOW
    answer = witness.add_checkpoint(request(0, 3, origin=other.name, by=OTHER_LOG))
    assert time_of(answer.body.decode()) == NOW


def test_before_1970_there_is_no_time_to_sign(path):
    witness = witness_at(path, clock=Clock(-1))
    assert time_of(witness.add_checkpoint(request(0, 3)).body.decode()) == 1


# --- showing (reg-witness-9) --------------------------------------------------------------------------------------


def test_it_shows_what_it_cosigned_with_the_logs_line_and_its_own(path):
    witness = witness_at(path)
    assert witness.checkpoint(HASH).status == 404
    line = witness.add_checkpoint(request(0, 7)).body
    answer = witness.checkpoint(HASH)
    assert (answer.status, answer.body) == (200, note(7) + line)
    for other in (HASH.upper(), HASH[:-1], HASH + "0", "", ORIGIN, sha256(b"log.test/2").hexdigest(), "\u0663" * 64):
        assert witness.checkpoint(other).status == 404
    witness.add_checkpoint(request(7, 9, FORKED))
    assert witness.checkpoint(HASH) == answer
    witness.add_checkpoint(request(7, 9))
    assert Note.parse(witness.checkpoint(HASH).body).text == text_of(note(9))


# --- one key for a log, one state for a witness (reg-witness-10) --------------------------------------------------


def test_a_known_origin_is_followed_under_no_other_key(path):
    grown(path, 3)
    before, other = rows(path), LogKey(ORIGIN, OTHER_LOG.public)
    with pytest.raises(ConfigError, match="another key") as err:
        reopened(path, [LogKey("log.test/9", OTHER_LOG.public), other])
    assert err.value.hint
    assert rows(path) == before, "nothing of the list was taken up"
    reopened(path, [LogKey("log.test/9", OTHER_LOG.public)])
    with pytest.raises(ConfigError, match="another key"):
        reopened(path, [LogKey("log.test/9", LOG.public)])


def test_two_keys_of_one_origin_are_not_followed_together(path):
    with pytest.raises(ConfigError, match="another key"):
        witness_at(path, [LOG_KEY, LogKey(ORIGIN, OTHER_LOG.public)])
    assert rows(path)["logs"] == []


def test_a_log_that_is_not_in_the_list_any_more_is_not_answered_and_not_forgotten(path):
    grown(path, 3)
    assert reopened(path, []).add_checkpoint(request(3, 5)).status == 404
    assert reopened(path, []).checkpoint(HASH).status == 404
    assert reopened(path).add_checkpoint(request(0, 5)).body == b"3\n"


def test_another_witnesss_key_is_refused(path):
    grown(path, 3)
    with pytest.raises(ConfigError, match=f"not the key of the witness {NAME}"):
        Witness(Heads.open(path), signer("another witness"), [LOG_KEY], Clock())


# --- a state that says something else -----------------------------------------------------------------------------


def damaged_notes():
    line = sign_cosignature(text_of(note(9)), WITNESS_KEY, WITNESS, NOW)
    other = WitnessKey(NAME, signer("another witness").public)
    theirs = sign_cosignature(text_of(note(9)), other, signer("another witness"), NOW)
    foreign = sign_note(text_of(note(9)), ORIGIN, OTHER_LOG)
    early = sign_cosignature(text_of(note(9)), WITNESS_KEY, WITNESS, 5)
    return {
        "nothing": b"",
        "junk": b"junk",
        "without our line": note(9),
        "without the log's line": b"%s\n%s" % (text_of(note(9)).encode(), line.encode()),
        "another witness's line": note(9) + theirs.encode(),
        "another log's line": foreign + line.encode(),
        "a size changed": (note(9) + line.encode()).replace(b"\n9\n", b"\n8\n"),
        "a time changed": note(9) + line.encode()[:60] + early.encode()[60:],
        "text": "text",
        "a number": 7,
    }


@pytest.mark.parametrize("name", damaged_notes())
def test_what_does_not_bear_its_own_signature_it_did_not_cosign(path, name):
    witness = grown(path, 5)
    edit(path, "UPDATE logs SET note = ?", damaged_notes()[name])
    before = rows(path)
    for again in (witness, reopened(path)):
        with pytest.raises(CorruptStoreError) as err:
            again.add_checkpoint(request(5, 8))
        assert err.value.hint
        with pytest.raises(CorruptStoreError):
            again.checkpoint(HASH)
    assert rows(path) == before


def test_two_lines_of_its_own_are_read_as_the_later(path):
    """Nobody writes this; and if somebody puts it together from true parts, time does not go back."""
    witness = grown(path, 5)
    lines = [sign_cosignature(text_of(note(5)), WITNESS_KEY, WITNESS, time) for time in (NOW + 50, NOW)]
    edit(path, "UPDATE logs SET note = ?", note(5) + "".join(lines).encode())
    assert time_of(witness.add_checkpoint(request(5, 8)).body.decode()) == NOW + 50


def test_the_key_of_a_log_cannot_be_exchanged_in_the_file(path):
    witness = grown(path, 5)
    edit(path, "UPDATE logs SET vkey = ?", str(LogKey(ORIGIN, OTHER_LOG.public)))
    with pytest.raises(CorruptStoreError):
        witness.add_checkpoint(request(5, 8))
    edit(path, "DELETE FROM logs")
    with pytest.raises(CorruptStoreError):
        witness.add_checkpoint(request(5, 8))


# --- the file -----------------------------------------------------------------------------------------------------


def test_a_typo_starts_no_witness(path):
    with pytest.raises(NotFoundError) as err:
        Heads.open(path)
    assert err.value.hint
    assert not path.exists()
    with pytest.raises(RegistryError):
        Heads.open(path.parent)


def test_no_file_is_overwritten(path):
    grown(path, 3)
    before = rows(path)
    with pytest.raises(ConflictError):
        Heads.create(path, WITNESS_KEY)
    assert rows(path) == before


@pytest.mark.parametrize("content", [b"", b"junk", b"SQLite format 3\0" + bytes(100)], ids=["empty", "junk", "head"])
def test_garbage_is_refused_and_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(CorruptStoreError):
        Heads.open(path)
    assert path.read_bytes() == content


def test_a_log_is_no_witnesss_state(path):
    Log.create(path, ORIGIN, LOG).close()
    before = path.read_bytes()
    with pytest.raises(CorruptStoreError):
        Heads.open(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("sql", ["DELETE FROM meta", "UPDATE meta SET value = '2'", "DROP TABLE meta"])
def test_another_version_is_refused(path, sql):
    grown(path, 3)
    edit(path, sql)
    with pytest.raises(CorruptStoreError):
        Heads.open(path)


def test_a_state_remembers_whose_it_is(path):
    grown(path, 3)
    heads = Heads.open(path)
    assert heads.key == WITNESS_KEY
    heads.close()
