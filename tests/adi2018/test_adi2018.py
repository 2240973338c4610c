"""The paper's private scheme, step by step (specs/adi2018.md), and that nothing of it is of wmproto/1."""

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wmproto.commitment.adi2018 import (
    MarkingKey,
    VerificationKey,
    commit_input,
    commit_label,
    key_gen,
    sample_labels,
    verify,
)
from wmproto.wire.profile import WMPROTO_1

INPUTS = tuple(bytes([i]) * 4 for i in range(100))
LABELS = tuple(i % 10 for i in range(100))
SPEC = Path(__file__).parents[2] / "specs" / "adi2018.md"


def stream():
    """Fresh bytes, the same in each run."""
    n = 0

    def random(size):
        nonlocal n
        n += 1
        return hashlib.shake_256(b"test %d" % n).digest(size)

    return random


@pytest.fixture
def keys():
    return key_gen(INPUTS, LABELS, random=stream())


def model(misses=0, instead=None):
    """Answers every trigger with its label but the first few."""
    wrong = set(INPUTS[:misses])
    return lambda t: instead if t in wrong else LABELS[INPUTS.index(t)]


def naive_frame(*fields):
    raw = [f.encode() if isinstance(f, str) else f.to_bytes(8, "big") if isinstance(f, int) else f for f in fields]
    return b"".join(len(r).to_bytes(8, "big") + r for r in raw)


def test_the_example_of_the_specification():
    text = SPEC.read_text(encoding="utf-8")
    c_t, c_l = re.findall(r"= ([0-9a-f]{64})", text)
    assert commit_input(b"\1\2\3", b"\x11" * 32).hex() == c_t
    assert commit_label(7, b"\x22" * 32).hex() == c_l


def test_a_commitment_is_a_framed_hash_under_tags_of_its_own():
    r = bytes(range(32))
    assert commit_input(b"x", r) == hashlib.sha256(naive_frame("adi2018/input", b"x", r)).digest()
    assert commit_label(3, r) == hashlib.sha256(naive_frame("adi2018/label", 3, r)).digest()
    assert commit_input(b"x", r) != WMPROTO_1.hash("input", b"x", r)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_salt_has_32_bytes(size):
    with pytest.raises(ValueError, match="32 bytes"):
        commit_label(3, bytes(size))


def test_every_commitment_has_a_salt_of_its_own(keys):
    mk, vk = keys
    assert len({*mk.input_salts, *mk.label_salts}) == 200
    assert len({*vk.inputs, *vk.labels}) == 200


@pytest.mark.parametrize(("misses", "accepted"), [(0, True), (9, True), (10, True), (11, False), (100, False)])
@pytest.mark.parametrize("instead", [None, 11])
def test_a_tenth_of_misses_is_forgiven_and_not_one_more(keys, misses, accepted, instead):
    decision = verify(*keys, model(misses, instead))
    assert (decision.accepted, decision.misses, decision.allowed, decision.reason) == (accepted, misses, 10, "")


@pytest.mark.parametrize(("n", "allowed"), [(1, 0), (9, 0), (10, 1), (19, 1), (20, 2)])
def test_the_tolerance_is_rounded_down(n, allowed):
    mk, vk = key_gen(INPUTS[:n], LABELS[:n], random=stream())
    assert verify(mk, vk, model(allowed)).accepted
    assert not verify(mk, vk, model(allowed + 1)).accepted


def never(t):
    raise AssertionError("the model was asked")


@pytest.mark.parametrize("what", ["inputs", "labels", "input_salts", "label_salts"])
def test_what_does_not_open_is_refused_before_the_model_is_asked(keys, what):
    mk, vk = keys
    kept = {name: getattr(mk, name) for name in ("inputs", "labels", "input_salts", "label_salts")}
    first = kept[what][0]
    other = first + 1 if what == "labels" else bytes([first[0] ^ 1]) + first[1:]
    lying = MarkingKey(**kept | {what: (other, *kept[what][1:])})
    decision = verify(lying, vk, never)
    assert (decision.accepted, decision.reason) == (False, "a commitment does not open")


def test_a_key_of_other_length_does_not_open(keys):
    mk, vk = keys
    for short in (VerificationKey(vk.inputs[:-1], vk.labels), VerificationKey(vk.inputs, vk.labels[:-1])):
        assert not verify(mk, short, never).accepted
    flat = VerificationKey((b"".join((*vk.inputs, *vk.labels)), *[b""] * 99), ())
    assert not verify(mk, flat, never).accepted
    swapped = VerificationKey(vk.labels, vk.inputs)
    assert not verify(mk, swapped, never).accepted


def test_a_label_that_is_the_true_one_is_refused_first(keys):
    mk, vk = keys
    decision = verify(mk, vk, never, truth=lambda t: LABELS[0] if t == INPUTS[0] else None)
    assert (decision.accepted, decision.reason) == (False, "a trigger's label is its true one")
    assert verify(mk, vk, model(), truth=lambda t: None).accepted


@given(st.integers(2, 12), st.integers(0, 11))
def test_a_drawn_label_is_never_the_true_one(classes, true):
    true %= classes
    drawn = sample_labels(INPUTS, classes, random=stream(), truth=lambda t: true)
    assert true not in drawn
    assert set(drawn) <= set(range(classes))


def test_a_true_label_that_is_no_class_excludes_none():
    assert set(sample_labels([b""] * 200, 3, random=stream(), truth=lambda t: 7)) == {0, 1, 2}


def test_drawn_labels_are_uniform():
    n = 4000
    drawn = sample_labels([b""] * n, 5, random=stream(), truth=lambda t: 2)
    counts = [drawn.count(c) for c in (0, 1, 3, 4)]
    assert sum(counts) == n
    assert sum((c - n / 4) ** 2 / (n / 4) for c in counts) < 34.5  # chi-square of 3 degrees at 1.5e-7
    assert sorted(set(sample_labels([b""] * 200, 3, random=stream()))) == [0, 1, 2]


def test_bad_arguments():
    with pytest.raises(ValueError, match="at least 2"):
        sample_labels(INPUTS, 1, random=stream())
    with pytest.raises(ValueError, match="n at least 1"):
        key_gen(INPUTS, LABELS[:-1], random=stream())
    with pytest.raises(ValueError, match="n at least 1"):
        key_gen((), (), random=stream())


def test_a_marking_key_shows_nothing(keys):
    mk, _ = keys
    assert repr(mk) == "MarkingKey()"
