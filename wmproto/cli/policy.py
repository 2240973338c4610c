"""``wmproto policy``: whom a log policy trusts, in words."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from wmproto.cli.options import OrderedGroup, read_policy
from wmproto.cli.output import AnyPath, emit, json_option
from wmproto.wire.plain import plain

if TYPE_CHECKING:
    from wmproto.registry.policy import LogPolicy


@click.group(cls=OrderedGroup)
def policy() -> None:
    """Whom you trust about logs, and what that is worth."""


@policy.command(short_help="Say what a policy trusts, and what would break it.")
@click.argument("file", type=AnyPath)
@json_option
def check(file: Path, as_json: bool) -> None:
    """Say in words what the log policy FILE trusts, and what would break it.

    FILE has the format of c2sp.org/tlog-policy: lines log, witness, group and quorum.
    """
    from wmproto.registry.exposure import enough, idle, liars, silencers

    found = read_policy(file)
    need, lie, silent = enough(found), liars(found), silencers(found)
    warnings = _warnings(found, lie, idle(found))
    data = {
        "digest": found.digest.hex(),
        "enough": list(need),
        "liars": list(lie),
        "logs": [str(key) for key in found.logs],
        "quorum": found.quorum,
        "silencers": list(silent),
        "warnings": warnings,
        "witnesses": {name: str(key) for name, key in found.witnesses.items()},
    }
    if found.quorum == "none":
        counts, fork = "it bears the log's signature", "the log lies: nobody watches it"
    else:
        counts = f"it bears the log's signature and those of {_some(need, '')}"
        fork = f"the log lies and so {'does' if len(lie) == 1 else 'do'} {_some(lie, '')}" if lie else "the log lies"
    lines = [
        f"digest        SHA-256 {found.digest.hex()}",
        *(f"log           {key}" for key in found.logs),
        *(f"witness       {name}: {key.name}" for name, key in found.witnesses.items()),
        f"quorum        {_words(found, found.quorum)}",
        f"counts        a checkpoint counts if {counts}",
        f"breaks        two pasts can both count if {fork}",
        f"stands still  no checkpoint counts if {_some(silent, ' are silent') if silent else 'the log is silent'}",
        *(f"warning       {text}" for text in warnings),
        "cannot know   whether two keys are one operator's: make them one group, of all (of any, if they share state)",
    ]
    emit(as_json, data, [plain(line) for line in lines])


def _some(names: tuple[str, ...], verb: str) -> str:
    if len(names) == 1:
        return f"1 witness{verb.replace('are', 'is')}, for example {names[0]}"
    return f"{len(names)} witnesses{verb}, for example {', '.join(names[:-1])} and {names[-1]}"


def _words(policy: LogPolicy, name: str) -> str:
    """A quorum or a group in words, its members in brackets."""
    if name not in policy.groups:
        return "none: a log's signature is enough" if name == "none" else name
    group = policy.groups[name]
    k = {len(group.members): "all", 1: "any"}.get(group.k, str(group.k))
    return f"{name} ({k} of {', '.join(_words(policy, member) for member in group.members)})"


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def _warnings(policy: LogPolicy, lie: tuple[str, ...], unused: tuple[str, ...]) -> list[str]:
    found = []
    if not policy.logs:
        found.append("there is no log line: no checkpoint counts at all")
    if policy.quorum == "none":
        found.append("no witness is needed: a log that shows two pasts is caught only by people who compare")
    elif not lie:
        found.append("the log alone can show two pasts: one to some of the witnesses, all honest, one to the rest")
    if unused and policy.quorum != "none":
        found.append(f"the quorum never needs {', '.join(unused)}")
    hosts = defaultdict(list)
    for name, url in policy.urls.items():
        hosts[_host(url)].append(name)
    found += [f"{', '.join(n)} answer on one host, {host}: one operator?" for host, n in hosts.items() if len(n) > 1]
    return found
