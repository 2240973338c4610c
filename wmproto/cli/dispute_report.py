"""``wmproto dispute report``: needs the extra report."""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import click

from wmproto.cli.options import PROFILE, check_new, policy_option, read_policy
from wmproto.cli.output import AnyPath, emit, json_option, read_input
from wmproto.errors import FormatError, MissingExtraError, VerificationError


@click.command()
@click.argument("transcripts", type=AnyPath, nargs=-1, required=True, metavar="TRANSCRIPTS")
@click.option("--trust", "trust_path", type=AnyPath, help="Whom you trust: log, arbitrators, respondents, owners.")
@policy_option
@click.option("--log-copy", type=AnyPath, help="Exported log: shows that admit hid no earlier dispute.")
@click.option("--out", type=AnyPath, required=True, help="The page (HTML); nothing is overwritten.")
@json_option
def report(
    transcripts: tuple[Path, ...],
    trust_path: Path | None,
    policy_path: Path | None,
    log_copy: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    """Audit one or more TRANSCRIPTS and write one page about them, for people.

    The page needs no network and no script, and prints well. Without a trust file it names everybody whom it took on
    trust. Exit code 0 when it is written, whatever the verdicts are.
    """
    if any(find_spec(name) is None for name in ("jinja2", "PIL")):
        raise MissingExtraError("report")
    from wmproto.dispute.transcript import TRANSCRIPT_LIMIT
    from wmproto.dispute.trust import Trust
    from wmproto.registry.copy import COPY_LIMIT
    from wmproto.report import ReportedDispute, render
    from wmproto.wire.writing import write_new

    check_new(out)
    trust = Trust.parse(read_input(trust_path, what="trust file", limit=1 << 20)) if trust_path else None
    policy = read_policy(policy_path) if policy_path else None
    copy = read_input(log_copy, what="copy of the log", limit=COPY_LIMIT) if log_copy else None
    disputes = []
    for path, title in zip(transcripts, _titles(transcripts), strict=True):
        data = read_input(path, what="transcript", limit=TRANSCRIPT_LIMIT)
        try:
            disputes.append(ReportedDispute.of(title, data, trust=trust, policy=policy, log_copy=copy, profile=PROFILE))
        except (VerificationError, FormatError) as err:
            err.args = (f"{path}: {err}",)  # which of several
            raise
    page = render(disputes).encode()
    write_new(out, page, mode=0o644)
    found = [(each.title, each.audit.outcome.verdict) for each in disputes]
    emit(
        as_json,
        {"bytes": len(page), "out": str(out), "verdicts": [{"title": t, "verdict": v} for t, v in found]},
        [f"{out}: {len(page)} bytes", *(f"  {title}: {verdict}" for title, verdict in found)],
    )


def _titles(paths: tuple[Path, ...]) -> list[str]:
    """The files' names; the whole path where two have the same name."""
    names = Counter(path.name for path in paths)
    return [path.name if names[path.name] == 1 else str(path) for path in paths]
