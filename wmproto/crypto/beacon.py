"""Where beta comes from: the randomness that nobody, the owner included, knew when the inputs were fixed."""

from typing import Protocol

from wmproto.errors import UnsupportedError
from wmproto.wire.profile import Profile


class Beacon(Protocol):
    """Turns a key statement into beta.

    Attributes:
        costs_grinding: True if everybody can try statements until one gives a pleasing beta; more bits are due then.
    """

    costs_grinding: bool

    def beta(self, profile: Profile, key_payload: bytes) -> bytes:
        """Return beta, 32 bytes, for the exact payload bytes of a key statement."""
        ...


class FiatShamir:
    """beta = H("fs", Zbytes): free, offline, and every hash is a try (specs/security.md)."""

    costs_grinding = True

    def beta(self, profile: Profile, key_payload: bytes) -> bytes:
        """See Beacon.beta."""
        return profile.hash("fs", key_payload)


def beacon_named(label_source: str) -> Beacon:
    """Return the beacon that Z's ``label_source`` names; there is no fallback from one to the other (hole R2).

    Raises:
        UnsupportedError: A drand round, which this version does not check yet.
    """
    if label_source != "fiat-shamir":
        raise UnsupportedError(
            f"label source {label_source!r} is not supported by this version", hint="supported: fiat-shamir"
        )
    return FiatShamir()
