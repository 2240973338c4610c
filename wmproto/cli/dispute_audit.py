"""``wmproto dispute audit``: loads neither torch, numpy nor a database."""

from pathlib import Path

import click

from wmproto.cli.output import AnyPath, emit, json_option, read_input
from wmproto.cli.words import audit_lines, audit_record
from wmproto.dispute.audit import audit as run_audit
from wmproto.dispute.outcome import EXIT_CODES
from wmproto.dispute.transcript import TRANSCRIPT_LIMIT
from wmproto.dispute.trust import Trust
from wmproto.registry.copy import COPY_LIMIT
from wmproto.registry.policy import POLICY_LIMIT, LogPolicy

TRUST_ASSUMED = 15


@click.command()
@click.argument("transcript", type=AnyPath)
@click.option("--trust", "trust_path", type=AnyPath, help="Whom you trust: log, arbitrators, respondents, owners.")
@click.option("--policy", "policy_path", type=AnyPath, help="Log policy: witnesses that every checkpoint must bear.")
@click.option("--log-copy", type=AnyPath, help="Exported log: shows that admit hid no earlier dispute.")
@json_option
def audit(
    transcript: Path, trust_path: Path | None, policy_path: Path | None, log_copy: Path | None, as_json: bool
) -> int:
    """Recheck a TRANSCRIPT alone: every hash, signature, label and count, and the verdict.

    Exit code 0 only for DEPENDENT under a trust file; without one the result is "consistent; trust assumed" (15).
    """
    data = read_input(transcript, what="transcript", limit=TRANSCRIPT_LIMIT)
    trust = Trust.parse(read_input(trust_path, what="trust file", limit=1 << 20)) if trust_path else None
    policy = LogPolicy.parse(read_input(policy_path, what="log policy", limit=POLICY_LIMIT)) if policy_path else None
    copy = read_input(log_copy, what="copy of the log", limit=COPY_LIMIT) if log_copy else None
    found = run_audit(data, trust=trust, policy=policy, log_copy=copy)
    emit(as_json, audit_record(found), audit_lines(found))
    return TRUST_ASSUMED if found.assumed else EXIT_CODES[found.outcome.verdict]
