"""Keyed noise byte by byte (trig-noise-1 to 4)."""

from hashlib import shake_256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wmproto.commitment.secrets import prf
from wmproto.triggers.noise import noise_input
from wmproto.wire.profile import WMPROTO_1, Profile

SEED = bytes.fromhex("3f3f3c6c71cadd8019a2cfe983f1043a304dec8b73ac6e39ddcb09a840392ba8")  # known-answers: prf, input 0


def u64(n):
    return n.to_bytes(8, "big")


@given(st.binary(min_size=32, max_size=32), st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 5)))
def test_it_is_the_stream_of_the_text(seed, shape):
    tag, (H, W, C) = b"wmproto/1/noise", shape
    framed = u64(15) + tag + u64(32) + seed + b"".join(u64(8) + u64(n) for n in shape)
    assert noise_input(WMPROTO_1, seed, shape) == shake_256(framed).digest(H * W * C)


def test_the_example_of_the_specification():
    assert noise_input(WMPROTO_1, SEED, (2, 2, 3)).hex() == "f4cc548e7c963843dbf16733"


def test_shape_seed_and_profile_each_change_everything():
    made = [
        noise_input(WMPROTO_1, SEED, (8, 8, 3)),
        noise_input(WMPROTO_1, SEED, (8, 3, 8)),
        noise_input(WMPROTO_1, SEED, (64, 1, 3)),
        noise_input(WMPROTO_1, SEED[:-1] + b"\x00", (8, 8, 3)),
        noise_input(Profile("test/1"), SEED, (8, 8, 3)),
    ]
    assert {len(x) for x in made} == {192}
    for i, one in enumerate(made):
        for other in made[:i]:
            assert sum(a == b for a, b in zip(one, other, strict=True)) < 10  # 0.75 expected


def test_every_byte_value_is_as_likely():
    counts = [0] * 256
    for i in range(40):
        for byte in noise_input(WMPROTO_1, prf(WMPROTO_1, SEED, "input", b"", i), (32, 32, 3)):
            counts[byte] += 1
    chi_square = sum((c - 480) ** 2 for c in counts) / 480  # fixed inputs; mean 255, standard deviation 22.6
    assert 255 - 5 * 22.6 < chi_square < 255 + 5 * 22.6


@pytest.mark.parametrize("shape", [(0, 1, 1), (1, -1, 1), (1, 1, 0)])
def test_an_empty_picture_is_a_bug(shape):
    with pytest.raises(ValueError):
        noise_input(WMPROTO_1, SEED, shape)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_seed_has_32_bytes(size):
    with pytest.raises(ValueError, match="32 bytes"):
        noise_input(WMPROTO_1, bytes(size), (1, 1, 1))
