"""The law under everything: hits of a model that knows nothing of the labels are Bin(n, 1/C), ghosts are 1 in 4.

Labels are drawn by the package's own code for many keys; chi-square against the exact law, refused at p <= 1e-6 (the
false-alarm rate; seeds are fixed, so that each result is the same in each run). Each comparison is shown to fail for a
suspect that knows a little, or for a draw that is a little uneven.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from games import (
    ALARM,
    CLASSES,
    PROFILE,
    Court,
    born,
    class_names,
    commitment,
    constant,
    follower,
    hashed,
    keys,
    make_key,
    ranking,
    rate_is,
    rng,
    seed,
    skewed,
    statement,
)
from scipy.stats import binom, chi2_contingency, chisquare

from wmproto.commitment.labels import Labels

COUNT = 640
TAKEN = 32  # marked leaves that are looked at; a key of 64 leaves has 48 or so


def hits(key, suspect, m):
    """Hits among the first marked leaves, or None if the key has too few: known before any label is."""
    steps = Court(7, m).steps(key, suspect)
    return sum(steps[:TAKEN]) if len(steps) >= TAKEN else None


def fits_binomial(values, m):
    """p of chi-square against Bin(TAKEN, 1/m), rare values put together."""
    seen = Counter(v for v in values if v is not None)
    total, law = seen.total(), binom(TAKEN, 1 / m)
    observed, expected, o, e = [], [], 0, 0.0
    for v in range(TAKEN + 1):
        o, e = o + seen[v], e + total * law.pmf(v)
        if e >= 5:
            observed.append(o)
            expected.append(e)
            o, e = 0, 0.0
    observed[-1] += o
    expected[-1] += e
    return chisquare(observed, expected).pvalue


@pytest.mark.parametrize("classes", [2, 10, 100])
@pytest.mark.parametrize("kind", ["constant", "skewed", "ordinary", "knows all inputs", "watches the labels"])
def test_hits_are_binomial(classes, kind):
    """D1: constant, skewed, ordinary, and two adversaries: one knows all inputs, one the labels opened so far.

    Twin: a suspect that knows one label in ten.
    """
    suspect = {
        "constant": constant(1),
        "skewed": skewed(classes),
        "ordinary": hashed("ordinary", classes),
        "knows all inputs": ranking(classes),
        "watches the labels": follower(classes),
    }[kind]
    table = keys(COUNT, 64, classes)
    assert fits_binomial([hits(k, suspect, classes) for k in table], classes) > ALARM

    def knowing(key):
        luck = rng("knows a little", key.verified.key_id)
        steps = Court(7, classes).steps(key, suspect)
        return sum(hit or luck.random() < 1 / 10 for hit in steps[:TAKEN]) if len(steps) >= TAKEN else None

    assert fits_binomial(map(knowing, table), classes) < ALARM


def test_identical_inputs():
    """D1: the same picture a hundred times in one key draws a label for each leaf. Twin: one label for the picture."""
    same = [make_key(("same", n), leaves=64, source=lambda _i, _drawn: b"same") for n in range(384)]
    assert {x for key in same for x in key.inputs} == {b"same"}
    suspect = hashed("identical")
    assert fits_binomial([hits(k, suspect, CLASSES) for k in same], CLASSES) > ALARM
    one_label = [TAKEN * (key.labels[0] == suspect(key.inputs, 0, tuple)) for key in same]
    assert fits_binomial(one_label, CLASSES) < ALARM


def test_a_key_in_ten_that_is_luckier_is_seen():
    """Power: labels that agree with the suspect's in one key of ten only (an average would hide it less well)."""
    table, suspect = keys(COUNT), hashed("ordinary")
    values = [h if n % 10 or h is None else max(h, 6) for n, h in enumerate(hits(k, suspect, CLASSES) for k in table)]
    assert fits_binomial(values, CLASSES) < ALARM


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_labels_are_uniform(classes):
    """Each class is drawn equally often, at each place the same. Twin: one byte modulo C, without rejection."""
    table = keys(COUNT, 64, classes)
    seen = Counter(y for key in table for y in key.labels)
    assert len(seen) == classes
    assert chisquare(list(seen.values())).pvalue > ALARM
    if classes > 2:  # 256 is a multiple of 2
        bytewise = Counter(b % classes for key in table[:512] for k in key.leaf_keys for b in k)
        assert chisquare([bytewise[y] for y in range(classes)]).pvalue < ALARM


def test_one_leaf_in_four_is_a_ghost():
    """Ghosts are 1 in 4, leaf by leaf independent of label and of the leaf before. Twin: 1 in 4 by a byte's threshold
    of 60 instead of 64."""
    table = keys(COUNT)
    ghosts = [g for key in table for g in key.ghosts]
    n = len(ghosts)
    assert chisquare([sum(ghosts), n - sum(ghosts)], [n / 4, 3 * n / 4]).pvalue > ALARM
    uneven = sum(k[0] < 60 for key in table for k in key.leaf_keys)
    assert chisquare([uneven, n - uneven], [n / 4, 3 * n / 4]).pvalue < ALARM
    with_label = Counter((y, g) for key in table for y, g in zip(key.labels, key.ghosts, strict=True))
    grid = [[with_label[y, g] for g in (False, True)] for y in range(CLASSES)]
    assert chi2_contingency(grid).pvalue > ALARM
    in_pairs = Counter(pair for key in table for pair in pairwise(key.ghosts))
    assert chi2_contingency([[in_pairs[a, b] for b in (False, True)] for a in (False, True)]).pvalue > ALARM


def test_neighbours_and_sister_keys_share_nothing():
    """R13 and D7: the label of a leaf says nothing of the next leaf's, nor of the same leaf's under another wording
    of Z with the very same leaf keys. Twin: labels that do not hang on key_id."""
    table = keys(COUNT)
    pairs = Counter(pair for key in table for pair in pairwise(key.labels))
    assert chi2_contingency([[pairs[a, b] for b in range(CLASSES)] for a in range(CLASSES)]).pvalue > ALARM
    sisters: Counter[tuple[int, int]] = Counter()
    without: Counter[tuple[int, int]] = Counter()
    for n in range(96):
        tree = commitment(("sisters", n), 64)
        a, b = (Labels(born(statement(tree, ("sisters", n), class_names(CLASSES, w)))) for w in ("", " "))
        for i in range(64):
            k = tree.leaf_key(i)
            sisters[a.label(i, k), b.label(i, k)] += 1
            y = PROFILE.draw(CLASSES, "label", seed("no key"), i, k)
            without[y, y] += 1
    assert chi2_contingency([[sisters[a, b] for b in range(CLASSES)] for a in range(CLASSES)]).pvalue > ALARM
    assert chi2_contingency([[without[a, b] for b in range(CLASSES)] for a in range(CLASSES)]).pvalue < ALARM


def test_every_field_of_a_label_counts():
    """Another key_id, beta, index, or one other bit in any byte of the leaf key: the label is drawn anew (agrees once
    in C), the ghost bit as well. Twin: the same fields again."""
    key = keys(1)[0]
    n, chance = 1600, {"label": 1 / CLASSES, "ghost": 5 / 8}

    def agree(change):
        """How often label and ghost bit stay as they were, over n leaf keys."""
        same: Counter[str] = Counter()
        for t in range(n):
            i, k = t % 64, seed("leaf key", t)
            verified, j, other = change(key.verified, i, k, t)
            a, b = Labels(key.verified), Labels(verified)
            same["label"] += a.label(i, k) == b.label(j, other)
            same["ghost"] += a.is_ghost(i, k) == b.is_ghost(j, other)
        return same

    def flipped(k, t):
        return k[: t % 32] + bytes([k[t % 32] ^ 1 << t // 32 % 8]) + k[t % 32 + 1 :]

    changes = {
        "key_id": lambda v, i, k, t: (replace(v, key_id=flipped(v.key_id, t)), i, k),
        "beta": lambda v, i, k, t: (replace(v, beta=flipped(v.beta, t)), i, k),
        "index": lambda v, i, k, t: (v, i + 1, k),
        "k": lambda v, i, k, t: (v, i, flipped(k, t)),
    }
    for change in changes.values():
        same = agree(change)
        for word, p in chance.items():
            assert rate_is(same[word], n, p)
    unchanged = agree(lambda v, i, k, t: (v, i, k))
    for word, p in chance.items():
        assert not rate_is(unchanged[word], n, p)
