"""Appending to a log under a policy: the witnesses are asked before and after, and named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from wmproto.cli.options import PROFILE
from wmproto.wire.plain import plain

if TYPE_CHECKING:
    from wmproto.registry.gather import Gathered
    from wmproto.registry.log import Appended, Log
    from wmproto.registry.policy import LogPolicy
    from wmproto.wire.dsse import Envelope


def append_witnessed(
    log: Log, kind: str, envelope: Envelope, policy: LogPolicy | None
) -> tuple[Appended, bytes, dict[str, Any]]:
    """Append a signed object; with a policy have its witnesses confirm the head first, and cosign the new one.

    Who does not answer is named on stderr and blocks nothing; one that has seen a later head stops it.

    Returns:
        The entry, its receipt with all cosignatures that could be had, and for machines who cosigned.

    Raises:
        CorruptStoreError: The store is behind what witnesses have cosigned, or forked; nothing is appended.
        ConfigError: The policy does not name this log.
        WmprotoError: As Log.append.
    """
    if policy is None:
        entry = log.append(kind, envelope)
        return entry, entry.receipt, {}
    from wmproto.registry.entry import entry_leaf
    from wmproto.registry.gather import confirm_head, gather

    confirm_head(log, policy)
    entry = log.append(kind, envelope)
    found = gather(log, policy)
    leaf = entry_leaf(PROFILE, kind, entry.envelope)
    [receipt] = log.receipts([leaf], found.checkpoint.size, policy.witnesses.values())
    return entry, receipt, _said(found, policy)


def cosign_head(log: Log, policy: LogPolicy) -> dict[str, Any]:
    """Have a policy's witnesses cosign the head as it stands; returns for machines who did. Raises as gather."""
    from wmproto.registry.gather import gather

    return _said(gather(log, policy), policy)


def _said(found: Gathered, policy: LogPolicy) -> dict[str, Any]:
    for name, why in found.missing.items():
        click.echo(plain(f"wmproto: warning: no cosignature of {name}: {why}"), err=True)
    if not found.quorum:
        lacks = (
            f"wmproto: warning: the checkpoint lacks the quorum {policy.quorum}; registry submit --policy asks again"
        )
        click.echo(plain(lacks), err=True)
    digest = policy.digest.hex()
    said = {"cosigned": list(found.cosigned), "missing": dict(found.missing), "policy": digest, "quorum": found.quorum}
    return {"witnesses": said}
