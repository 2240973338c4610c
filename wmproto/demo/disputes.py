"""The disputes of the story, each over weights in escrow, and their audits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from wmproto.crypto.secretfile import Secret
from wmproto.demo.stage import PROFILE, Stage, suspect
from wmproto.dispute.audit import Audit, audit
from wmproto.dispute.hold import hold
from wmproto.dispute.messages import Policy
from wmproto.dispute.roles import Arbitrator, Claimant, Respondent
from wmproto.dispute.transcript import Transcript
from wmproto.dispute.trust import Trust
from wmproto.owner.activated import ActivatedKey
from wmproto.release.modelfile import ModelFile
from wmproto.wire.dsse import Envelope
from wmproto.wire.writing import replace, write_new


def dispute(
    stage: Stage,
    name: str,
    words: str,
    model: ModelFile,
    *,
    claimant: Secret,
    active: ActivatedKey,
    record: Envelope | None,
    start: int,
    offered: int,
) -> int:
    """Hold one dispute.

    Args:
        stage: The stage.
        name: Name of the transcript's file.
        words: What the claimant calls the suspect.
        model: The suspect.
        claimant: Her secrets.
        active: Her key.
        record: Her logged release, or None.
        start: First leaf.
        offered: Leaves offered at most.

    Returns:
        The first leaf that is free afterwards.
    """
    unit = PROFILE.round_leaves
    count = min(offered, active.key.z.N - start) // unit * unit
    with stage.progress(f"dispute over {words}") as tick:
        outcome = hold(
            claimant=Claimant(active.key, active.commitment, claimant.signer()),
            release=record,
            respondent=Respondent(stage.people["respondent"].signer(), "escrow"),
            arbitrator=Arbitrator(stage.people["arbitrator"].signer(), Policy(bits=0, suspects_log2=24)),
            log=stage.log,
            model=model.digest,
            suspect=suspect(model),
            words=words,
            start=start,
            count=count,
            save=_saver(stage.out / "disputes" / f"{name}.json"),
            progress=tick,
        )
    evidence = outcome.evidence
    stage.say(
        f"dispute over {words}: {outcome.verdict}, {outcome.evidence_log2} bits of {outcome.bits} after "
        f"{evidence.asked} leaves ({evidence.wealth.hits} hits of {evidence.wealth.n})"
    )
    return start + -(-evidence.asked // unit) * unit


def _saver(path: Path) -> Callable[[Transcript], None]:
    return lambda transcript: replace(path, transcript.to_bytes(), mode=0o644)


def write_trust(stage: Stage) -> Trust:
    """The trust file of somebody who knows whose keys these are: the liar is a known person, too."""
    signers = {name: secret.signer().public for name, secret in stage.people.items()}
    trust = Trust(
        arbitrators=(signers["arbitrator"],),
        bits=0,
        format="wmproto/trust@v1",
        log=stage.log.vkey,
        owners=(signers["owner"], signers["liar"]),
        respondents=(signers["respondent"],),
    )
    write_new(stage.out / "trust.json", trust.to_bytes(), mode=0o644)
    return trust


def recheck(stage: Stage, trust: Trust, expected: dict[str, str | None]) -> tuple[dict[str, Audit], bool]:
    """Audit every transcript with a copy of the log.

    Args:
        stage: The stage.
        trust: Whom to trust.
        expected: Verdict by name of the transcript; None where any verdict will do.

    Returns:
        The audits by name, and whether all is as expected.
    """
    path = stage.out / "log-copy.jsonl"
    stage.log.export(path)
    copy, audits, good = path.read_bytes(), {}, True
    for name, verdict in expected.items():
        data = (stage.out / "disputes" / f"{name}.json").read_bytes()
        found = audits[name] = audit(data, trust=trust, log_copy=copy, profile=PROFILE)
        fine = verdict in (None, found.outcome.verdict) and not found.outcome.findings
        good = good and fine
        judged = "as expected" if fine and verdict else "whatever the evidence gives" if fine else "NOT expected"
        stage.say(f"audit of {name}.json: {found.outcome.verdict}, {judged}")
    return audits, good
