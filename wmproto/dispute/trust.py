"""Whom an auditor trusts (specs/dispute.md, dis-trust-*).

Anybody can build a log, an arbitrator and a respondent of his own and play a dispute with them that is consistent to
the last byte (hole R18). A verdict therefore stands only under a trust file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from wmproto.dispute.machine import Dispute
from wmproto.errors import TrustError
from wmproto.wire.schema import Hex32, Wire

_Keys = Annotated[tuple[Hex32, ...], Field(min_length=1, max_length=1024)]


class Trust(Wire):
    """A trust file; people write it, so only its fields are strict, not its white space.

    Attributes:
        arbitrators: Public keys of arbitrators.
        bits: The least L the auditor asks for; 0 leaves it to profile and policy.
        format: Version marker.
        log: vkey of the one log.
        owners: Public keys that are known to be the claimant's.
        respondents: Public keys of respondents or holders of an escrow.
    """

    arbitrators: _Keys
    bits: Annotated[int, Field(ge=0, le=4096)] = 0
    format: Literal["wmproto/trust@v1"]
    log: Annotated[str, Field(max_length=1024)]
    owners: _Keys
    respondents: _Keys

    @classmethod
    def parse(cls, data: bytes) -> Trust:
        """Parse a trust file; raises FormatError."""
        return cls.from_text(data, what="trust file", limit=1 << 20)


def _parties(dispute: Dispute) -> list[tuple[str, str, str]]:
    """(role, field of the trust file, who) for everybody the evidence rests on."""
    parties = [
        ("log", "log", dispute.file.log),
        ("arbitrator", "arbitrators", dispute.file.arbitrator.hex()),
        ("owner", "owners", dispute.key.z.owner.hex()),
    ]
    if dispute.seq > 1:
        parties.append(("respondent", "respondents", dispute.respondent.hex()))
    return parties


def trust_assumed(dispute: Dispute) -> tuple[str, ...]:
    """Everybody whom a reader without a trust file would have to trust, as ``role name``."""
    return tuple(f"{role} {who}" for role, _, who in _parties(dispute))


def check_trust(dispute: Dispute, trust: Trust) -> None:
    """Check that the trust file names everybody the evidence rests on.

    Raises:
        TrustError: It does not; the first one is named.
    """
    known = {
        "log": {trust.log},
        "arbitrators": {k.hex() for k in trust.arbitrators},
        "owners": {k.hex() for k in trust.owners},
        "respondents": {k.hex() for k in trust.respondents},
    }
    for role, field, who in _parties(dispute):
        if who not in known[field]:
            raise TrustError(
                f"the trust file does not name the {role} {who}",
                rule="dis-trust-1",
                hint="a dispute can be staged among friends; add the key only if you know whose it is",
            )
