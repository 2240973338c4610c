"""What a log policy is worth: how many witnesses must sign, lie or fall silent before it gives way.

Each name is a member of one group at most (reg-policy-4). So the groups are a tree, and the cheapest sets of a group
are made of the cheapest of its members.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from wmproto.registry.policy import Group, LogPolicy

Names = tuple[str, ...]


def _cheapest(policy: LogPolicy, name: str, of: Callable[[Group], int]) -> Names:
    if name not in policy.groups:
        return () if name == "none" else (name,)
    group = policy.groups[name]
    sets = sorted((_cheapest(policy, member, of) for member in group.members), key=len)
    return tuple(chain(*sets[: max(0, of(group))]))


def enough(policy: LogPolicy) -> Names:
    """A smallest set of witnesses that is a quorum."""
    return _cheapest(policy, policy.quorum, lambda group: group.k)


def silencers(policy: LogPolicy) -> Names:
    """A smallest set of witnesses without which there is no quorum; empty if none is needed."""
    return _cheapest(policy, policy.quorum, lambda group: len(group.members) - group.k + 1)


def liars(policy: LogPolicy) -> Names:
    """A smallest set of witnesses that must cosign two pasts before a log can show both with a quorum.

    A log that forks shows each honest witness one past only. So it needs two quorums that share none but liars: at
    least 2k - n of a group's n members are in both. **Empty: the log can do it alone**, with every witness honest.
    """
    return _cheapest(policy, policy.quorum, lambda group: 2 * group.k - len(group.members))


def idle(policy: LogPolicy) -> Names:
    """Witnesses whose word the quorum never needs, for they stand outside its groups."""

    def below(name: str) -> set[str]:
        members = policy.groups[name].members if name in policy.groups else ()
        return {name}.union(*map(below, members))

    used = below(policy.quorum)
    return tuple(name for name in policy.witnesses if name not in used)
