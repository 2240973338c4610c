"""Tagged hashes, the PRF and the uniform draw, and the constants that nobody can set (enc-tag-*, enc-draw-*)."""

import hmac
from hashlib import sha256, shake_256
from types import SimpleNamespace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wmproto.commitment.secrets import prf
from wmproto.wire import profile
from wmproto.wire.framing import frame
from wmproto.wire.labels import Word
from wmproto.wire.profile import WMPROTO_1, Profile, draw_from

P = WMPROTO_1
S = bytes(range(32))


def naive_draw(seed, m):
    """The rule, word by word; returns the value and the number of words it took."""
    stream = shake_256(seed).digest(8 * 4096)
    for count in range(4096):
        w = int.from_bytes(stream[8 * count : 8 * count + 8], "big")
        if w < m * (2**64 // m):
            return w % m, count + 1
    raise AssertionError


def test_the_constants():
    assert (P.name, P.target_bits, P.kappa_beacon, P.kappa_fiat_shamir) == ("wmproto/1", 64, 48, 96)
    assert (P.bits(beacon=True), P.bits(beacon=False)) == (112, 160)
    assert (P.ghost_one_in, P.round_leaves, P.starts, P.max_leaves) == (4, 16, 128, 65536)


def test_leaf_counts_and_start_grids():
    allowed = [n for n in range(70_000) if P.is_leaf_count(n)]
    assert allowed == [*range(16, 2049, 16), *range(4096, 65537, 2048)]
    for n in allowed:
        grid = P.start_grid(n)
        assert grid == max(16, n // 128)
        assert grid % 16 == 0
        assert n % grid == 0 or n < 2048
        assert len(range(0, n, grid)) <= 128


def test_hash_and_prf_are_what_the_text_says():
    assert P.hash("key", b"z", 7) == sha256(frame("wmproto/1/key", b"z", 7)).digest()
    assert prf(P, S, "input", b"c", 3) == hmac.new(S, frame("wmproto/1/input", b"c", 3), "sha256").digest()
    assert P.draw(10, "label", b"a") == naive_draw(frame("wmproto/1/label", b"a"), 10)[0]


def test_every_word_is_a_domain_of_its_own():
    words = get_args(Word)
    assert len({P.hash(w, b"x") for w in words}) == len({prf(P, S, w, b"x") for w in words}) == len(words)


def test_another_profile_shares_nothing_with_this_one():
    other = Profile("test/1")
    assert other.hash("key", b"x") != P.hash("key", b"x")
    assert prf(other, S, "input", b"x") != prf(P, S, "input", b"x")
    assert [other.draw(10**9, "label", i) for i in range(5)] != [P.draw(10**9, "label", i) for i in range(5)]


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_prf_secret_has_32_bytes(size):
    # HMAC pads with zeros: without this rule 31 bytes and the same with a zero after them would be one key
    with pytest.raises(ValueError, match="32 bytes"):
        prf(P, bytes(size), "input", b"c", 3)


MODULI = [1, 2, 3, 10, 1000, 2**32, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1]


@given(st.binary(max_size=40), st.one_of(st.sampled_from(MODULI), st.integers(1, 2**64 - 1)))
def test_a_draw_is_the_rule(seed, m):
    value, _ = naive_draw(seed, m)
    assert draw_from(seed, m) == value
    assert 0 <= value < m


def test_words_are_rejected_and_the_stream_goes_on():
    m = 2**63 + 1  # half of all words are rejected
    taken = [naive_draw(b"%d" % i, m)[1] for i in range(600)]
    assert {1, 2, 3, 4, 5} <= set(taken)  # also beyond the first squeeze of 4 words
    assert max(taken) > 8  # and beyond the second
    assert 1.7 < sum(taken) / 600 < 2.3  # 2 is expected, standard error 0.06
    for i in range(600):
        assert draw_from(b"%d" % i, m) == naive_draw(b"%d" % i, m)[0]


@pytest.mark.parametrize("m", [3, 10, 2**63 + 1, 2**64 - 1])
def test_the_first_word_that_is_rejected_is_the_limit_itself(m, monkeypatch):
    limit = m * (2**64 // m)
    stream = b"".join(w.to_bytes(8, "big") for w in (limit, 2**64 - 1, limit - 1, 0, 0, 0))
    monkeypatch.setattr(profile, "shake_256", lambda _: SimpleNamespace(digest=lambda n: stream[:n]))
    assert draw_from(b"", m) == m - 1


@pytest.mark.parametrize("m", [2, 3, 10, 16, 1000])
def test_draws_are_uniform(m):
    # fixed inputs, so this never fails by chance; the bound is chi-square's mean plus 5 standard deviations
    n = 20 * m + 20_000
    counts = [0] * m
    for i in range(n):
        counts[P.draw(m, "label", b"key", i)] += 1
    chi_square = sum((c - n / m) ** 2 for c in counts) / (n / m)
    assert chi_square < (m - 1) + 5 * (2 * (m - 1)) ** 0.5


def test_the_top_half_is_as_likely_as_the_bottom_half_where_a_mere_modulus_would_not_be():
    m = 3 << 62  # w mod m would fall below 2**62 half of the time instead of a third
    low = sum(P.draw(m, "label", i) < 1 << 62 for i in range(3000))
    assert abs(low - 1000) < 5 * 26  # standard deviation 25.8


@pytest.mark.parametrize("m", [0, -1, 2**64, 2**65])
def test_a_modulus_out_of_range_is_a_bug_and_not_an_endless_loop(m):
    with pytest.raises(ValueError):
        draw_from(b"", m)
