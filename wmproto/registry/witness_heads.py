"""Asking a policy's witnesses for the last checkpoint of a log that they cosigned (c2sp.org/tlog-witness).

They may have seen a past that the log's files do not show. What they answer counts only if log and witness signed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from wmproto.errors import FormatError, RegistryError, SignatureError
from wmproto.registry.ask import DEADLINE_S, show_head
from wmproto.registry.checkpoint import verify_checkpoint
from wmproto.registry.note import LogKey, Note
from wmproto.registry.policy import LogPolicy
from wmproto.registry.seen import verified_lines

__all__ = ["witness_heads"]


def witness_heads(
    policy: LogPolicy, key: LogKey, *, deadline: float = DEADLINE_S
) -> tuple[Mapping[str, bytes], Mapping[str, str]]:
    """Ask every witness that has a URL, all at once.

    Returns:
        Name -> its head, which the log and the witness have signed, with only those lines that verify under keys of the
        policy; name -> why there is none, in a few words.
    """
    heads: dict[str, bytes] = {}
    silent: dict[str, str] = {}

    def one(name: str) -> None:
        try:
            data = show_head(policy.urls[name], key.name, deadline=deadline)
            verify_checkpoint(data, key, extended=True)
            if not Note.parse(data).signed_by(policy.witnesses[name]):
                raise SignatureError("it has not signed what it shows")
            heads[name] = verified_lines(data, key, policy)
        except (RegistryError, FormatError, SignatureError) as err:
            silent[name] = str(err)

    names = [name for name in policy.witnesses if policy.urls.get(name)]
    if names:
        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(one, names))
    return heads, silent
