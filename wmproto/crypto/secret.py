"""What a key file holds: one identity, an owner's master secret, and the contexts she has used.

secretfile.py keeps it under a passphrase, backup.py under shares. Randomness comes from the caller. Python cannot wipe
memory: whoever reads this process's memory has the secrets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Literal, Self, cast, get_args

from pydantic import Field

from wmproto.crypto.signer import Signer
from wmproto.errors import ConfigError, StateError
from wmproto.wire.hidden import Hidden
from wmproto.wire.schema import Hex32, Wire

Role = Literal["owner", "arbitrator", "respondent", "log", "witness"]
Random = Callable[[int], bytes]

MAX_CONTEXTS = 4096


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """What a secret file holds. Neither repr nor str show any of it.

    Attributes:
        role: Whose it is.
        seed: Seed of the Ed25519 identity, 32 bytes.
        master: The owner's master secret s, 32 bytes; None for everybody else.
        contexts: Every keyctx (32 bytes each) that this owner has used, in order: none is ever used twice (hole R13).
    """

    role: Role
    seed: bytes
    master: bytes | None
    contexts: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.seed) != 32 or any(len(c) != 32 for c in self.contexts):
            raise ValueError("a seed and a context have 32 bytes")
        if (self.master is not None) != (self.role == "owner") or (self.master is not None and len(self.master) != 32):
            raise ValueError("an owner, and nobody else, has a master secret of 32 bytes")
        if (self.contexts and self.master is None) or len(set(self.contexts)) != len(self.contexts):
            raise ValueError("only an owner has contexts, all different")
        object.__setattr__(self, "seed", Hidden(self.seed))
        object.__setattr__(self, "master", None if self.master is None else Hidden(self.master))

    def __repr__(self) -> str:
        return f"Secret(role={self.role!r})"

    def signer(self) -> Signer:
        """The Ed25519 identity."""
        return Signer(self.seed)

    def with_context(self, keyctx: bytes) -> Secret:
        """The same secrets, remembering that ``keyctx`` is used; seal and store them before the key is made.

        Args:
            keyctx: 32 fresh random bytes.

        Raises:
            StateError: The context was used before.
            ConfigError: Not an owner's secrets, or 4,096 contexts are used.
        """
        if self.master is None:
            raise ConfigError(f"a key of role {self.role} makes no trigger keys", hint="use the owner's key file")
        if keyctx in self.contexts:
            raise StateError("this key context was used before", hint="draw a fresh one: never use one twice")
        if len(self.contexts) >= MAX_CONTEXTS:
            raise ConfigError(f"this owner has made {MAX_CONTEXTS} keys", hint="make a new owner key")
        return replace(self, contexts=(*self.contexts, keyctx))


class Content(Wire):
    """A secret as canonical JSON: plaintext of a box, never stored otherwise."""

    contexts: Annotated[tuple[Hex32, ...], Field(max_length=MAX_CONTEXTS)]
    master: Annotated[Hex32 | None, Field(repr=False)]
    role: Role
    seed: Annotated[Hex32, Field(repr=False)]

    def __repr__(self) -> str:
        return f"Content(role={self.role!r})"

    __str__ = __repr__

    @classmethod
    def of(cls, secret: Secret) -> Self:
        """The content that holds a secret."""
        return cls(contexts=secret.contexts, master=secret.master, role=secret.role, seed=secret.seed)

    def secret(self) -> Secret:
        """The secret in it; raises ValueError if it makes no sense."""
        return Secret(role=self.role, seed=self.seed, master=self.master, contexts=self.contexts)


def new_secret(role: str, random: Random) -> Secret:
    """Draw a new identity, and for an owner a master secret.

    Args:
        role: owner, arbitrator, respondent, log or witness.
        random: ``random(n)`` gives n bytes that nobody can predict, as secrets.token_bytes does.

    Raises:
        ConfigError: Another role.
    """
    if role not in get_args(Role):
        raise ConfigError(f"there is no role {role!r}", hint=f"one of {', '.join(get_args(Role))}")
    seed = Hidden(random(32))
    return Secret(role=cast(Role, role), seed=seed, master=random(32) if role == "owner" else None)
