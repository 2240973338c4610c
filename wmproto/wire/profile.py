"""The constants of the profile ``wmproto/1`` and the hashing that carries its name.

They stand in no statement, so that no accuser can set them (specs/security.md, hole R3). Another profile has another
name, therefore other tags: nothing that was made under one verifies under the other.
"""

from dataclasses import dataclass
from hashlib import shake_256

from wmproto.wire.framing import frame, sha256
from wmproto.wire.labels import Word

_WORDS_A_SQUEEZE = 4  # 64-bit words of SHAKE output taken at a time; more only after a rejection


@dataclass(frozen=True, slots=True)
class Profile:
    """Constants, and the tagged hash and uniform draw under the profile's name.

    Attributes:
        name: Stands in Z and begins every tag.
        target_bits: lambda, the false-claim bits that are left after every multiplicity.
        kappa_beacon: Bits paid for keys, suspects and starts where a beacon gives beta.
        kappa_fiat_shamir: The same where beta is a hash of Z, so that every hash is a try.
        ghost_one_in: A leaf is a ghost if a uniform draw on this many values is 0.
        round_leaves: Leaves asked in one round.
        starts: Bound B on the places where a dispute may start.
        max_leaves: Largest N.
    """

    name: str
    target_bits: int = 64
    kappa_beacon: int = 48
    kappa_fiat_shamir: int = 96
    ghost_one_in: int = 4
    round_leaves: int = 16
    starts: int = 128
    max_leaves: int = 65536

    def bits(self, *, beacon: bool) -> int:
        """L: the bits that a DEPENDENT needs at least (112 and 160 in ``wmproto/1``)."""
        return self.target_bits + (self.kappa_beacon if beacon else self.kappa_fiat_shamir)

    def is_leaf_count(self, n: int) -> bool:
        """Whether N = n is allowed: 16 to 65,536, a multiple of 16, above 2,048 a multiple of 2,048."""
        unit = self.round_leaves if n <= self.round_leaves * self.starts else self.round_leaves * self.starts
        return self.round_leaves <= n <= self.max_leaves and n % unit == 0

    def start_grid(self, n: int) -> int:
        """A dispute over a key of n leaves starts at a multiple of this, so that there are at most 2**7 starts."""
        return max(self.round_leaves, n // self.starts)

    def tag(self, word: Word) -> str:
        """The domain-separation string of one use."""
        return f"{self.name}/{word}"

    def hash(self, word: Word, *fields: bytes | str | int) -> bytes:
        """H(word, fields...): SHA-256 over the frame of tag and fields, 32 bytes."""
        return sha256(frame(self.tag(word), *fields))

    def draw(self, m: int, word: Word, *fields: bytes | str | int) -> int:
        """Draw uniformly from range(m) out of SHAKE-256 over the frame of tag and fields.

        Consecutive 64-bit big-endian words w are taken; the first w < m * floor(2**64 / m) gives w mod m, so the
        result is exactly uniform.

        Args:
            m: 1 <= m < 2**64.
            word: The use.
            *fields: As in frame().

        Source: specs/encoding.md, enc-draw-1.
        """
        return draw_from(frame(self.tag(word), *fields), m)


def draw_from(seed: bytes, m: int) -> int:
    """Draw uniformly from range(m) out of SHAKE-256(seed), 1 <= m < 2**64; see Profile.draw."""
    if not 0 < m < 1 << 64:
        raise ValueError("a draw is from 1 to 2**64 - 1 values")
    limit = m * ((1 << 64) // m)
    words = _WORDS_A_SQUEEZE
    while True:
        stream = shake_256(seed).digest(8 * words)
        for at in range(0, 8 * words, 8):
            w = int.from_bytes(stream[at : at + 8], "big")
            if w < limit:
                return w % m
        words *= 2


WMPROTO_1 = Profile("wmproto/1")
