"""Backups of a key file: k-of-n share files, any k of which restore all of it (specs/secretfile.md, "Backups").

A fresh backup key seals the secrets; SLIP-39 splits that key into words. Each share file holds its words and the whole
sealed box, so any k of them need nothing else, and fewer than k hold a box without its key. Randomness comes from the
caller; nothing here reads a clock or a disk.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Annotated

from nacl import bindings
from nacl.exceptions import CryptoError
from pydantic import Field

from wmproto.crypto.secret import Content, Random, Secret
from wmproto.crypto.sharefile import FORMAT, Share
from wmproto.crypto.slip39 import MAX_SHARES, combine_words, split_words
from wmproto.errors import ConfigError, FormatError, WmprotoError
from wmproto.wire.hidden import Hidden
from wmproto.wire.schema import Wire

_CONTENT_LIMIT = 1 << 20  # bytes


class _Backup(Wire):
    """Plaintext of the box: what the share files say in the open stands in it again, so that nobody can edit it."""

    count: Annotated[int, Field(ge=1, le=MAX_SHARES)]
    secret: Annotated[Content, Field(repr=False)]
    threshold: Annotated[int, Field(ge=1, le=MAX_SHARES)]

    def __repr__(self) -> str:
        return f"Backup({self.threshold} of {self.count})"

    __str__ = __repr__


def make_shares(secret: Secret, threshold: int, count: int, *, random: Random) -> list[Share]:
    """Make the shares of a backup.

    Args:
        secret: What is backed up.
        threshold: How many shares restore it.
        count: How many shares there are, at most 16.
        random: ``random(n)`` gives n bytes that nobody can predict, as secrets.token_bytes does; see split_words for
            what it does not give.

    Raises:
        ConfigError: There are no such shares (MissingExtraError: without the extra backup, there are none at all).
    """
    key = Hidden(random(32))
    words = split_words(key, threshold, count, random=random)
    box_key, check = _keys(key)
    nonce = random(bindings.crypto_secretbox_NONCEBYTES)
    plain = Hidden(_Backup(count=count, secret=Content.of(secret), threshold=threshold).to_bytes())
    box = bindings.crypto_secretbox(plain, nonce, box_key)
    return [
        Share(
            number=number,
            count=count,
            threshold=threshold,
            role=secret.role,
            public=secret.signer().public,
            contexts=len(secret.contexts),
            words=own,
            check=check,
            nonce=nonce,
            box=box,
        )
        for number, own in enumerate(words, 1)
    ]


def check_together(shares: Sequence[tuple[str, Share]]) -> None:
    """Check that shares are different ones of one backup, and enough of them.

    Args:
        shares: Each with its name, for messages.

    Raises:
        ConfigError: Another backup's, the same one twice, or too few.
    """
    first_name, first = shares[0]
    seen: dict[int, str] = {}
    for name, share in shares:
        if share.backup != first.backup:
            same = (share.role, share.public) == (first.role, first.public)
            hint = "the same key, backed up at another time: shares of two backups never fit" if same else None
            raise ConfigError(
                f"{name} is a share of another backup than {first_name}",
                hint=hint or f"{first_name} is of the {first.holder}, {name} of the {share.holder}",
            )
        if share.number in seen:
            raise ConfigError(
                f"{seen[share.number]} and {name} are the same share, number {share.number}",
                hint="each share counts once: give a share with another number",
            )
        seen[share.number] = name
    missing = first.threshold - len(seen)
    if missing > 0:
        others = ", ".join(str(n) for n in range(1, first.count + 1) if n not in seen)
        raise ConfigError(
            f"{missing} more share{'s are' if missing > 1 else ' is'} needed: "
            f"it takes {first.threshold}, and here {'are' if len(seen) > 1 else 'is'} {len(seen)}",
            hint=f"any of the shares number {others}",
        )


def combine(shares: Sequence[tuple[str, Share]]) -> Secret:
    """Restore what was backed up.

    Args:
        shares: At least as many as it takes, each with its name, for messages. All must fit, also those that it would
            not take.

    Raises:
        ConfigError: See check_together.
        FormatError: Somebody has edited a share: those that do not fit are named where some that do open the box, else
            the shares do not all belong together.
    """
    check_together(shares)
    found = _open([share for _, share in shares])
    if isinstance(found, WmprotoError):
        raise found
    return found


def _open(shares: Sequence[Share]) -> Secret | FormatError:
    """Return the error instead of raising it: a traceback through this frame could show the keys."""
    edited = FormatError("these shares do not all belong together: somebody has edited one", hint="try other shares")
    first = shares[0]
    found = _key_and_odd(shares)
    if found is None:
        return edited
    key, odd = found
    if odd:
        numbers = ", ".join(map(str, odd))
        which, it = ("share number {} does", "it") if len(odd) == 1 else ("shares number {} do", "them")
        return FormatError(
            f"{which.format(numbers)} not fit the others: somebody has edited {it}",
            hint=f"leave {it} out: the others restore the key",
        )
    box_key, _ = _keys(key)
    try:
        plain = Hidden(bindings.crypto_secretbox_open(first.box, first.nonce, box_key))
        backup = _Backup.from_bytes(plain, what="backup", limit=_CONTENT_LIMIT)
        secret = backup.secret.secret()
    except (CryptoError, FormatError, ValueError):
        return edited
    inside = (backup.count, backup.threshold, secret.role, secret.signer().public, len(secret.contexts))
    outside = (first.count, first.threshold, first.role, first.public, first.contexts)
    return secret if inside == outside else edited


def _key_and_odd(shares: Sequence[Share]) -> tuple[bytes, list[int]] | None:
    """The backup key, and the numbers of the shares that do not fit those that lead to it; None if none was found.

    As many as it takes are tried that follow each other in a circle: so a single odd share is always found, wherever it
    stands, while all subsets would be thousands. Whether a key is right, the check value says.
    """
    size, first = shares[0].threshold, shares[0]
    for at in range(len(shares) if len(shares) > size else 1):
        turned = [*shares[at:], *shares[:at]]
        tried, others = turned[:size], turned[size:]
        key = combine_words([share.verified_words for share in tried])
        if key is None or not hmac.compare_digest(_keys(key)[1], first.check):
            continue
        # In the place of one that fits, only one that fits leads to the same key.
        odd = [s.number for s in others if combine_words([x.verified_words for x in (*tried[1:], s)]) != key]
        return key, sorted(odd)
    return None


def _keys(key: bytes) -> tuple[bytes, bytes]:
    """Key of the box and check value, 32 bytes each: secretbox alone does not commit to its key."""
    both = Hidden(hmac.digest(key, FORMAT.encode(), "sha512"))
    return Hidden(both[:32]), both[32:]
