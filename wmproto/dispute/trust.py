"""Whom an auditor trusts (specs/dispute.md, dis-trust-*).

Anybody can build a log, an arbitrator and a respondent of his own and play a dispute with them that is consistent to
the last byte (hole R18). A verdict therefore stands only under a trust file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from wmproto.dispute.machine import Dispute
from wmproto.errors import TrustError
from wmproto.registry.policy import LogPolicy
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


def _parties(dispute: Dispute) -> list[tuple[str, str | bytes, str]]:
    """(role, who, who in text) for everybody the evidence rests on."""
    keys = {"arbitrator": dispute.file.arbitrator, "owner": dispute.key.z.owner}
    if dispute.seq > 1:
        keys["respondent"] = dispute.respondent
    return [("log", dispute.file.log, dispute.file.log), *((role, key, key.hex()) for role, key in keys.items())]


def trust_assumed(dispute: Dispute, policy: LogPolicy | None) -> tuple[str, ...]:
    """Everybody whom a reader without a trust file must trust, as ``role name``; but a log that a policy judged."""
    judged = policy is not None and dispute.notes
    return tuple(f"{role} {shown}" for role, _, shown in _parties(dispute) if role != "log" or not judged)


def check_trust(dispute: Dispute, trust: Trust) -> None:
    """Check that the trust file names everybody the evidence rests on.

    Raises:
        TrustError: It does not; the first one is named.
    """
    hint = "a dispute can be staged among friends; add the key only if you know whose it is"
    parties = [who for _, who, _ in _parties(dispute)]
    if parties.count(dispute.file.arbitrator) > 1:
        raise TrustError("the arbitrator judges her own case", rule="dis-trust-1", hint=hint)
    for role, who, shown in _parties(dispute):
        if who not in ((trust.log,) if role == "log" else getattr(trust, f"{role}s")):
            raise TrustError(f"the trust file does not name the {role} {shown}", rule="dis-trust-1", hint=hint)


def check_policy(dispute: Dispute, policy: LogPolicy) -> None:
    """Check that every checkpoint of the dispute counts under a log policy, to its last line (dis-policy-1).

    But for the one under the receipt that a release quotes: it is as old as the release, its witnesses may be gone, and
    admit's receipts prove the same order again.

    Raises:
        TrustError: One does not: another log, no quorum, or a line of somebody whom the policy does not know.
        VerificationError, FormatError: A line of a known witness does not verify.
    """
    for note in dict.fromkeys(dispute.notes):
        policy.verify(note, strict=True)
