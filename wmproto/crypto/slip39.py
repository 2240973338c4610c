"""A 32-byte key as k-of-n word shares (SLIP-39): the one file that knows the library shamir-mnemonic.

One group, no passphrase, so any program for SLIP-39 shares finds the key again. The words of a share are a secret: what
goes wrong with them is returned, not raised, because a traceback through these frames could show them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from operator import attrgetter

from wmproto.crypto.secret import Random
from wmproto.errors import ConfigError, FormatError, MissingExtraError
from wmproto.wire.hidden import Hidden, HiddenText

MAX_SHARES = 16  # SLIP-39 has four bits for it
WORDS = 33  # of a share of 32 bytes, and of no other
_ITERATION_EXPONENT = 0  # 10,000 rounds of PBKDF2 that protect nothing: there is no passphrase


@dataclass(frozen=True, slots=True, repr=False)
class WordShare:
    """What a share's words say; their checksum holds.

    Attributes:
        words: The words themselves.
        number: Which share it is, from 1.
        threshold: How many shares it takes.
    """

    words: tuple[str, ...]
    number: int
    threshold: int

    def __repr__(self) -> str:
        return f"WordShare(number={self.number})"


def need_slip39() -> None:
    """Say, before any work, that the extra is missing; raises MissingExtraError."""
    if find_spec("shamir_mnemonic") is None:
        raise MissingExtraError("backup")


def check_split(threshold: int, count: int) -> None:
    """Check that there are shares of this kind.

    Raises:
        ConfigError: There are none.
    """
    if not 1 <= count <= MAX_SHARES:
        raise ConfigError(f"a backup cannot have {count} shares", hint=f"1 to {MAX_SHARES}")
    if threshold < 1:
        raise ConfigError(f"a threshold cannot be {threshold}", hint=f"at least 2, and at most the {count} shares")
    if threshold > count:
        raise ConfigError(f"{threshold} of {count} shares can never come together", hint=f"a threshold up to {count}")
    if threshold == 1 and count > 1:
        hint = "a threshold of 2 or more; or one share alone, as a copy without a passphrase"
        raise ConfigError("any one of several shares would be the whole key: SLIP-39 forbids that", hint=hint)


def split_words(key: bytes, threshold: int, count: int, *, random: Random) -> list[tuple[str, ...]]:
    """Split a key into shares.

    Args:
        key: 32 bytes.
        threshold: How many shares give it back; fewer leave about 2^224 keys, all equally likely.
        count: How many shares there are, at most 16.
        random: ``random(n)`` gives n bytes, for the public identifier. The polynomials' coefficients the library draws
            itself, from the operating system.

    Returns:
        33 words for each share, none of which a repr shows.

    Raises:
        ConfigError: See check_split.
        MissingExtraError: The extra backup is not installed.
    """
    need_slip39()
    check_split(threshold, count)
    from shamir_mnemonic import EncryptedMasterSecret, Share, split_ems

    identifier = int.from_bytes(random(2), "big") >> 1  # 15 bits
    kind = (b"", identifier, True, _ITERATION_EXPONENT)
    # No variable holds the library's own objects: their repr shows what the words say.
    texts = map(
        Share.mnemonic,
        chain.from_iterable(split_ems(1, [(threshold, count)], EncryptedMasterSecret.from_master_secret(key, *kind))),
    )
    return [tuple(map(HiddenText, text.split())) for text in map(HiddenText, texts)]


def read_words(words: Sequence[str]) -> WordShare | FormatError:
    """Check the words of one share: their number, each word, the checksum. Needs the extra backup.

    Three wrong words are always noticed, more of them in all but one of 2^30 cases.
    """
    from shamir_mnemonic import MnemonicError, Share
    from shamir_mnemonic.wordlist import WORD_INDEX_MAP

    hint = "compare the words with the share as it was written, or take another share"
    if len(words) != WORDS:
        return FormatError(f"a share has {WORDS} words, not {len(words)}", hint=hint)
    for at, word in enumerate(words, 1):
        if word not in WORD_INDEX_MAP:
            return FormatError(f"word {at} is none of the SLIP-39 list", hint=hint)
    facts = attrgetter("group_count", "index", "member_threshold")  # the share itself would show its value
    try:
        groups, index, threshold = facts(Share.from_mnemonic(HiddenText(" ".join(words))))
    except MnemonicError:
        return FormatError("a word is wrong: the checksum of the words does not hold", hint=hint)
    if groups != 1:
        return FormatError("these words are a share of something else", hint=hint)
    return WordShare(tuple(words), index + 1, threshold)


def combine_words(shares: Sequence[WordShare]) -> bytes | None:
    """The key that was split, 32 bytes, or None if these shares do not fit together.

    Args:
        shares: Exactly as many as it takes, all different.
    """
    from shamir_mnemonic import MnemonicError, combine_mnemonics

    try:
        return Hidden(combine_mnemonics([HiddenText(" ".join(share.words)) for share in shares]))
    except MnemonicError:
        return None
