"""What the page is about: a transcript with the audit of exactly that transcript."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from wmproto.dispute.audit import Audit, audit
from wmproto.dispute.chain import link, link_logged
from wmproto.dispute.messages import message_kind
from wmproto.dispute.transcript import Transcript
from wmproto.dispute.trust import Trust
from wmproto.registry.policy import LogPolicy
from wmproto.wire.profile import WMPROTO_1, Profile


@dataclass(frozen=True, slots=True)
class ReportedDispute:
    """One dispute on the page.

    The audit says what holds; the transcript adds what an audit does not keep: who signed what, and the inputs.

    Args:
        title: Its name for readers, for example the file's name.
        audit: What the audit of this transcript found.
        transcript: The transcript that was audited.

    Raises:
        ValueError: The audit is of another transcript.
    """

    title: str
    audit: Audit
    transcript: Transcript

    def __post_init__(self) -> None:
        dispute, last = self.audit.dispute, None
        for step in self.transcript.steps:
            last = link(dispute.profile, last, step.message)
            if step.receipts and message_kind(step.message.payload) == "admit":
                last = link_logged(dispute.profile, last, step.receipts)
        if last != dispute.link:
            raise ValueError("the audit is of another transcript")

    @classmethod
    def of(
        cls,
        title: str,
        transcript: bytes,
        *,
        trust: Trust | None = None,
        policy: LogPolicy | None = None,
        log_copy: bytes | None = None,
        profile: Profile = WMPROTO_1,
    ) -> Self:
        """Audit a transcript for the page; arguments and errors as for wmproto.dispute.audit.audit.

        Raises:
            FormatError: Malformed, or not supported by this version.
            VerificationError: False evidence.
        """
        found = audit(transcript, trust=trust, policy=policy, log_copy=log_copy, profile=profile)
        return cls(title, found, Transcript.parse(transcript))
