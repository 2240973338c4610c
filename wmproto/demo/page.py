"""The story as a page that a lawyer reads: every dispute, what marking costs, who did what when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wmproto.commitment.adi2018 import Decision
from wmproto.demo.stage import Measured, Stage
from wmproto.dispute.audit import Audit
from wmproto.dispute.transcript import Transcript
from wmproto.report import ModelAccuracy, ReportedDispute, RuledClaim, render
from wmproto.wire.writing import write_new

_NAMES = {
    "twin": "unmarked twin",
    "released": "marked model",
    "thief": "thief's model",
    "strong-thief": "stronger thief's model",
    "stranger": "stranger's model",
}


def write_page(
    stage: Stage,
    audits: Mapping[str, Audit],
    titles: Mapping[str, str],
    models: Sequence[Measured],
    by_the_paper: tuple[Decision, int],
) -> None:
    """Write report.html.

    Args:
        stage: The stage; its lines are the story.
        audits: By name of the transcript's file, in the order of the page.
        titles: What each dispute is called.
        models: The models to compare, the unmarked one first.
        by_the_paper: What ``adi2018`` made of the liar's claim, and over how many triggers.
    """
    told = []
    for name, audit in audits.items():
        data = (stage.out / "disputes" / f"{name}.json").read_bytes()
        told.append(ReportedDispute(titles[name], audit, Transcript.parse(data)))
    rows = [ModelAccuracy(_NAMES[m.name], m.right, m.total, m.kept, m.marks) for m in models]
    page = render(told, models=rows, claims=_claims(*by_the_paper, audits["liar"]), story=stage.lines)
    write_new(stage.out / "report.html", page.encode(), mode=0o644)


def _claims(decision: Decision, triggers: int, audit: Audit) -> list[RuledClaim]:
    outcome = audit.outcome
    wealth = outcome.evidence.wealth
    return [
        RuledClaim(
            rules="the paper's (adi2018)",
            labels="chosen by the liar, together with the pictures",
            hits=triggers - decision.misses,
            of=triggers,
            needed=f"{triggers - decision.allowed} of {triggers}",
            outcome="ACCEPTED" if decision.accepted else "REFUSED",
        ),
        RuledClaim(
            rules="wmproto/1",
            labels="drawn after the same pictures are registered",
            hits=wealth.hits,
            of=wealth.n,
            needed=f"{outcome.bits} bits of evidence; these are {outcome.evidence_log2}",
            outcome=outcome.verdict,
        ),
    ]
