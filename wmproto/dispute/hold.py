"""Hold a whole dispute over weights in escrow, or go on with one that was cut off."""

from __future__ import annotations

from collections.abc import Callable

from wmproto.dispute.messages import Settings
from wmproto.dispute.outcome import Outcome, decide
from wmproto.dispute.roles import Arbitrator, Claimant, Respondent
from wmproto.dispute.session import DisputeLog, Session
from wmproto.dispute.transcript import Transcript
from wmproto.dispute.trust import check_policy
from wmproto.errors import ConfigError, RaceError
from wmproto.registry.entry import entry_leaf
from wmproto.registry.policy import LogPolicy
from wmproto.suspects.oracle import Suspect
from wmproto.wire.canonical import canonical_json
from wmproto.wire.dsse import Envelope


def hold(
    *,
    claimant: Claimant,
    release: Envelope | None,
    respondent: Respondent,
    arbitrator: Arbitrator,
    log: DisputeLog,
    model: bytes,
    suspect: Suspect,
    words: str,
    start: int,
    count: int,
    save: Callable[[Transcript], None],
    resume: Transcript | None = None,
    policy: LogPolicy | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Play all parties of one dispute on one machine, each with an identity of its own.

    Args:
        claimant: The owner.
        release: The logged release, if there is one.
        respondent: Whoever holds the weights.
        arbitrator: The arbitrator.
        log: The one log.
        model: h_f of the suspect, 32 bytes.
        suspect: The suspect.
        words: The suspect in words.
        start: First leaf.
        count: Leaves offered.
        save: Makes the transcript durable; called after every step.
        resume: The transcript of this dispute if it was cut off. start, count and words are then those it was filed
            with, whatever is given here.
        policy: The arbitrator's log policy: no leaf is asked unless every checkpoint so far counts under it
            (dis-policy-2). The log should be a CosignedLog under it.
        progress: Called with (leaves asked, leaves offered).

    Returns:
        The verdict. If the claim is inadmissible no leaf is asked.

    Raises:
        StateError: The range is taken, or another dispute of the key came in between (RaceError: file again).
        VerificationError: The transcript to go on with is false (TrustError: a checkpoint does not count under the
            policy; nothing is logged or asked).
        ConfigError: The transcript to go on with is about another key or model, or was admitted with other settings.
    """
    profile = claimant.key.profile
    session = Session(save, profile=profile, resume=resume)
    dispute = session.dispute
    if dispute.phase == "new":
        # Receipts under the latest checkpoint: no two filings are alike, and no file is admitted twice.
        key_receipt = log.receipts([entry_leaf(profile, "key", claimant.key.envelope)])[0]
        place = None
        if release is not None:
            place = release, log.receipts([entry_leaf(profile, "release", release)])[0]
        session.say(
            *claimant.file(
                suspect=words,
                arbitrator=arbitrator.public,
                log=log.vkey,
                policy=arbitrator.policy,
                start=start,
                count=count,
                key_receipt=key_receipt,
                release=place,
            )
        )
    if dispute.key.key_id != claimant.key.key_id:
        raise ConfigError("the transcript is of another key", hint="give --out a new name")
    if dispute.phase == "filed":
        session.say(*respondent.bind(dispute, model))
    if dispute.bind.model != model:
        raise ConfigError("the transcript is about another model", hint="give --out a new name")
    settings = Settings.from_bytes(canonical_json(suspect.settings), what="settings", limit=1 << 16)
    if dispute.seq > 2 and dispute.admit.settings != settings:
        raise ConfigError("the dispute was admitted with other settings or libraries", hint="go on where it began")
    if dispute.phase == "bound" and dispute.problems:
        return decide(dispute)  # inadmissible as filed: nothing is logged, no leaf is taken
    if policy is not None:
        check_policy(dispute, policy)
    if dispute.phase in ("bound", "admitted", "ready"):
        try:
            session.admit(arbitrator, log, settings)
        except RaceError:
            session.say(claimant.stop(dispute))  # frees the range: nothing was asked
            session.decide(arbitrator, log)
            raise
    if policy is not None:
        check_policy(dispute, policy)
    if dispute.phase in ("ready", "asked", "answered") and not dispute.problems:
        session.rounds(claimant, arbitrator, suspect, progress)
    return session.decide(arbitrator, log)
