"""The page: one HTML file that needs nothing else, no script, no network, no font.

Everything in a transcript is somebody's text and may be hostile. Jinja2 escapes all of it; only drawings that chart.py
builds from numbers pass as they are, and the page's own policy forbids every load and script.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from wmproto import __version__
from wmproto.dispute import words
from wmproto.dispute.tally import Finding
from wmproto.report.chain import acts
from wmproto.report.chart import Line, chart
from wmproto.report.claims import RuledClaim
from wmproto.report.gallery import LARGEST, is_shown_smaller, pictures
from wmproto.report.models import ModelAccuracy, model_rows
from wmproto.report.reported import ReportedDispute
from wmproto.report.strokes import strokes
from wmproto.report.svg import signed
from wmproto.report.wealth import series
from wmproto.wire.framing import sha256
from wmproto.wire.plain import plain

MOST_PICTURES = 64  # of one dispute
MOST_BROKEN = 64  # problems of one dispute, and as many findings: a claimant can leave thousands of leaves unopened


def render(
    disputes: Sequence[ReportedDispute],
    *,
    models: Sequence[ModelAccuracy] = (),
    claims: Sequence[RuledClaim] = (),
    story: Sequence[tuple[float, str]] = (),
) -> str:
    """Write the page about these disputes; the same input gives the same bytes.

    Args:
        disputes: At least one, in the order of the page.
        models: The models to compare, the unmarked one first; none leaves the section out.
        claims: One claim under several rules; none leaves the section out.
        story: What happened outside the transcripts: (seconds since the start, one line); none leaves it out.

    Raises:
        ValueError: No dispute is given.
    """
    if not disputes:
        raise ValueError("a report is about at least one dispute")
    return (
        _environment()
        .get_template("report.html")
        .render(
            disputes=[_facts(number, each) for number, each in enumerate(disputes, 1)],
            chart=chart([Line(plain(each.title), series(each.audit), each.audit.outcome.bits) for each in disputes]),
            looks=strokes(len(disputes)),
            assumed=list(dict.fromkeys(one for each in disputes for one in each.audit.assumed)),
            log_size=max((each.audit.log_size or 0 for each in disputes), default=0),
            models=model_rows(models),
            claims=claims,
            story=story,
            most_pictures=MOST_PICTURES,
            largest=LARGEST,
            version=__version__,
        )
    )


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("wmproto.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["signed"] = signed
    return made


def _finalize(value: Any) -> Any:
    """What Jinja2 calls for each value before it escapes it."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _facts(number: int, reported: ReportedDispute) -> dict[str, Any]:
    """What the template says of one dispute: numbers of the audit, and the sentences of wmproto.dispute.words."""
    audit, outcome = reported.audit, reported.audit.outcome
    proves, proves_not = words.proves(outcome)
    shown, left_out = pictures(reported, most=MOST_PICTURES)
    return {
        "number": number,
        "title": reported.title,
        "audit": audit,
        "outcome": outcome,
        "evidence": outcome.evidence,
        "so_far": words.verdict(outcome).removeprefix(outcome.verdict).strip(),
        "bound": words.bound(audit),
        "short_bound": _short_bound(reported),
        "supported": words.power(outcome.supported_log2),
        "ghosts": words.ghosts(audit),
        "leaves": words.leaves(audit),
        "who": words.who(audit),
        "proves": proves,
        "proves_not": proves_not,
        "problems": _some(outcome.problems),
        "findings": _some(outcome.findings),
        "cannot_know": words.cannot_know(audit),
        "digest": sha256(reported.transcript.to_bytes()).hex(),
        "acts": acts(reported),
        "pictures": shown,
        "left_out": left_out,
        "smaller": is_shown_smaller(audit.dispute.key.z.input.shape),
    }


def _some(found: Sequence[Finding]) -> tuple[list[Finding], int]:
    """Those that are shown, in order, and how many more there are; of each rule and party at fault one is shown."""
    first: dict[tuple[str, str], int] = {}
    for at, one in enumerate(found):
        first.setdefault((one.rule, one.fault), at)
    ahead = set(first.values())  # else thousands of the claimant's findings could hide the arbitrator's only one
    shown = sorted([*ahead, *(at for at in range(len(found)) if at not in ahead)][:MOST_BROKEN])
    return [found[at] for at in shown], len(found) - len(shown)


def _short_bound(reported: ReportedDispute) -> str:
    """The bound of the headline: what this verdict, not another one, bounds a false claim by."""
    outcome = reported.audit.outcome
    if outcome.verdict == "INADMISSIBLE":
        return "no claim is heard"
    log2 = outcome.bound_log2 if outcome.verdict == "DEPENDENT" else outcome.supported_log2
    return words.power(log2) if log2 < 0 else "no bound"  # words.power's "nothing" would read as: no chance at all
