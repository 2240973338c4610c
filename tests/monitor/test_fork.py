"""Evidence of a fork: what is made holds, and no honest log can be convicted."""

import json
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_samples import LOG, NAME, STRANGER, naive_root
from published import KEY, head

from wmproto.crypto.merkle import tree_root
from wmproto.errors import FormatError, InclusionError, SignatureError
from wmproto.registry.checkpoint import Checkpoint
from wmproto.registry.fork import FORK_LIMIT, make_fork, verify_fork
from wmproto.registry.note import NOTE_LIMIT, LogKey
from wmproto.registry.writing import sign_note
from wmproto.wire.canonical import canonical_json

LEAVES = [sha256(b"leaf %d" % n).digest() for n in range(40)]
OTHER = [*LEAVES[:4], *(sha256(b"other %d" % n).digest() for n in range(4, 40))]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 39), st.integers(0, 39), st.integers(0, 39), st.booleans())
def test_two_pasts_are_evidence_and_one_is_none(a, b, common, turned):
    """The log signed ``a`` entries of one list and ``b`` of another, which part after ``common``."""
    other = [*LEAVES[:common], *OTHER[:1], *LEAVES[common + 1 :]]
    other[common] = sha256(b"parted").digest()
    one, two = head(LEAVES[:a]), head(other[:b])
    leaves = LEAVES[:a] if a >= b else other[:b]
    order = (two, one) if turned else (one, two)
    if min(a, b) > common:
        fork = verify_fork(make_fork(KEY, *order, leaves), KEY)
        assert {fork.older.size, fork.newer.size} == {a, b}
        assert fork.older.size <= fork.newer.size
        assert fork.root == naive_root(leaves[: fork.older.size]) != fork.older.root
    else:
        with pytest.raises(InclusionError):
            make_fork(KEY, *order, leaves)


def evidence():
    return make_fork(KEY, head(OTHER[:7]), head(LEAVES[:13]), LEAVES[:13])


def test_of_one_size_either_list_of_leaves_proves_it():
    one, two = head(LEAVES[:7]), head(OTHER[:7])
    for notes in ((one, two), (two, one)):
        for leaves in (LEAVES[:7], OTHER[:7]):
            fork = verify_fork(make_fork(KEY, *notes, leaves), KEY)
            assert fork.root == fork.newer.root == naive_root(leaves)


def test_leaves_of_another_tree_prove_nothing():
    with pytest.raises(InclusionError):
        make_fork(KEY, head(OTHER[:7]), head(LEAVES[:13]), OTHER[:13])
    with pytest.raises(InclusionError):
        make_fork(KEY, head(OTHER[:7]), head(LEAVES[:13]), LEAVES[:12])


def test_any_change_is_no_evidence():
    data = evidence()
    for at in range(0, len(data), 3):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises((FormatError, SignatureError, InclusionError)):
            verify_fork(changed, KEY)


def test_evidence_is_about_the_log_whose_key_the_reader_has():
    with pytest.raises(InclusionError) as err:
        verify_fork(evidence(), LogKey(NAME, STRANGER.public))
    assert err.value.rule == "reg-fork-1"
    value = json.loads(evidence())
    value["vkey"] = str(LogKey(NAME, STRANGER.public))
    with pytest.raises(SignatureError):
        verify_fork(canonical_json(value), LogKey(NAME, STRANGER.public))


def test_the_smaller_one_stands_first():
    value = json.loads(evidence())
    value["older"], value["newer"] = value["newer"], value["older"]
    with pytest.raises(InclusionError) as err:
        verify_fork(canonical_json(value), KEY)
    assert err.value.rule == "reg-fork-1"


def test_a_log_that_grew_is_not_convicted():
    value = json.loads(evidence()) | {"older": head(LEAVES[:7]).decode()}
    with pytest.raises(InclusionError) as err:
        verify_fork(canonical_json(value), KEY)
    assert err.value.rule == "reg-fork-2"


def test_the_largest_heads_that_can_be_signed_fit_the_evidence():
    """Extension lines of quotes, which JSON escapes: a log cannot make its own evidence too large to be read."""
    leaves = [sha256(b"leaf %d" % n).digest() for n in range(5000)]

    def largest(size, root):
        text = Checkpoint(NAME, size, root).text
        room = NOTE_LIMIT - len(sign_note(text, NAME, LOG)) - 1
        return sign_note(text + '"' * room + "\n", NAME, LOG)

    older, newer = largest(2047, bytes(32)), largest(5000, tree_root(leaves))
    assert len(older) == len(newer) == NOTE_LIMIT
    evidence = make_fork(KEY, older, newer, leaves)
    assert len(evidence) > 256 << 10
    assert len(evidence) + 63 * 50 + 4 * 512 < FORK_LIMIT, "with a longer proof and name, too"


def test_sizes_are_bounded():
    with pytest.raises(FormatError):
        verify_fork(b" " * (FORK_LIMIT + 1), KEY)
    value = json.loads(evidence())
    for proof in ([*value["proof"], "AA=="], ["AA=="] * 65, value["proof"] * 30):
        with pytest.raises(FormatError):
            verify_fork(canonical_json(value | {"proof": proof}), KEY)
    assert KEY.public == LOG.public
