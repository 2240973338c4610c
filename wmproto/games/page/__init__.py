"""The report for researchers: one HTML file of a set of game records, no script, no network, no font.

Names, errors and logs in records are anybody's text. Jinja2 escapes all of it, what cannot be seen is shown as an
escape, and the page's own policy forbids every load and script. Needs no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from wmproto import __version__
from wmproto.games.page.bars import bars, bars_legend
from wmproto.games.page.claims import claims, piracy
from wmproto.games.page.downloads import downloads
from wmproto.games.page.figure6 import figure_6
from wmproto.games.page.null import null_chart, null_looks, nulls
from wmproto.games.page.overlook import by_scheme, glance
from wmproto.games.page.played import MOST, failures, findings, overview, who
from wmproto.games.page.published import CONDITIONS, FIGURE_6, TABLE_1
from wmproto.games.page.scatter import looks, scatter, scattered
from wmproto.games.page.sweep import sweep_chart, sweeps
from wmproto.games.page.table1 import table_1
from wmproto.games.pooling import labels, once_a_cell, settings
from wmproto.games.record import Record
from wmproto.games.summary import matrix, standings
from wmproto.report.strokes import strokes
from wmproto.report.svg import signed
from wmproto.wire.plain import plain

__all__ = ["render"]


def render(records: Sequence[Record], *, missing: Sequence[str] = (), title: str) -> str:
    """Write the page about these records; the same input gives the same bytes.

    Args:
        records: In the order of the grid; of a cell that stands twice the first record counts.
        missing: A line for each cell that was not played.
        title: Of the page.
    """
    once = once_a_cell(records)
    facts = {
        "title": title,
        "version": __version__,
        "overview": overview(once, missing=len(missing), twice=len(records) - len(once)),
        "standings": standings(once),
        "headings": labels(once),
        "has_paper": any(record.profile == "adi2018" for record in once),
        "failures": failures(once),
        "findings": findings(once),
        "missing": missing,
        "most": MOST,
        "records": once,
        "downloads": downloads(once),
    }
    return _environment().get_template("games.html").render(facts | _tables(once) | _drawings(once))


def _tables(records: Sequence[Record]) -> dict[str, Any]:
    rows = matrix(records)
    return {
        "table_1": table_1(records),
        "published_1": TABLE_1,
        "published_6": FIGURE_6,
        "conditions": [name for _, name in CONDITIONS],
        "matrix": {setup: (glance(some), by_scheme(some)) for setup, some in rows.items()},
        "claims": claims(records),
        "piracy": piracy(records),
    }


def _drawings(records: Sequence[Record]) -> dict[str, Any]:
    panels, swept, points, null = figure_6(records), sweeps(records), scattered(records), nulls(records)
    look = looks(records)
    return {
        "figure_6": {
            setup: [(panel, bars(panel, name=f"bars-{i}-{j}")) for j, panel in enumerate(some)]
            for i, (setup, some) in enumerate(panels.items())
        },
        "bars_legend": bars_legend(),
        "sweeps": {
            setup: [
                (one, sweep_chart(one, name=f"sweep-{i}-{j}"), strokes(len(one.series))) for j, one in enumerate(some)
            ]
            for i, (setup, some) in enumerate(swept.items())
        },
        "scatters": [
            (profile, scatter(some, look, profile=profile, name=f"points-{i}"))
            for i, (profile, some) in enumerate(points.items())
        ],
        "looks": look,
        "nulls": null,
        "null_chart": null_chart(null, name="null") if null else None,
        "null_looks": null_looks(null),
    }


def _environment() -> Environment:
    made = Environment(
        loader=ChoiceLoader(
            [PackageLoader("wmproto.games", "templates"), PackageLoader("wmproto.report", "templates")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"signed": signed, "percent": _percent, "points": _points, "settings": settings, "who": who}
    return made


def _finalize(value: Any) -> Any:
    """What Jinja2 calls for each value before it escapes it."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _percent(share: float) -> str:
    """A share in per cent with one decimal; 0 and 100 only where it is exactly that."""
    if share in (0, 1):
        return f"{100 * share:.0f}"
    said = f"{100 * share:.1f}"
    return {"0.0": "<0.1", "100.0": ">99.9"}.get(said, said)


def _points(value: float) -> str:
    return signed(f"{value:+.1f}") if round(value, 1) else "0.0"
