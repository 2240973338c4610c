"""The owner's side: commit to N inputs, and open leaves later."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wmproto.commitment.leaf import inputs_hash, leaf_value
from wmproto.commitment.opening import Opening
from wmproto.commitment.secrets import input_seed, leaf_key
from wmproto.commitment.statement import STATEMENT_LIMIT, SUITE, InputSpec, KeyStatement, check_rules
from wmproto.crypto.tree import MerkleTree
from wmproto.errors import ConfigError, FormatError
from wmproto.wire.compose import compose_statement
from wmproto.wire.hidden import Hidden
from wmproto.wire.profile import Profile

#: ``source(i, seed)`` returns the raw bytes of input i; ``seed`` is PRF_s("input", keyctx, i), which the owner's own
#: pictures ignore. It must give the same bytes each time it is called.
InputSource = Callable[[int, bytes], bytes]


class Commitment:
    """All leaves of one key, with the power to open them. Holds the master secret; its repr does not show it.

    Args:
        profile: The profile.
        master: The owner's master secret s, 32 bytes.
        keyctx: 32 bytes, fresh for each key.
        count: N.
        spec: What an input is.
        source: Where inputs come from.
        progress: Called with (leaves done, N).

    Raises:
        ConfigError: An input has the wrong size.
    """

    def __init__(
        self,
        *,
        profile: Profile,
        master: bytes,
        keyctx: bytes,
        count: int,
        spec: InputSpec,
        source: InputSource,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._profile, self._master, self._keyctx = profile, Hidden(master), keyctx
        del master  # a traceback that shows variables shall not show it
        self._source, self._spec, self.count = source, spec, count
        leaves = []
        for i in range(count):
            hashed = inputs_hash([self.input(i)])
            leaves.append(leaf_value(profile, keyctx, i, self.leaf_key(i), hashed, b""))
            if progress is not None:
                progress(i + 1, count)
        self._tree = MerkleTree(leaves)

    def __repr__(self) -> str:
        return f"Commitment(count={self.count}, root={self.root.hex()})"

    @property
    def root(self) -> bytes:
        """R, 32 bytes."""
        return self._tree.root

    def leaf_key(self, index: int) -> bytes:
        """k_i, 32 secret bytes."""
        return leaf_key(self._profile, self._master, self._keyctx, index)

    def input(self, index: int) -> bytes:
        """Raw bytes of input ``index``; raises ConfigError if its source changed its size."""
        x = self._source(index, input_seed(self._profile, self._master, self._keyctx, index))
        if len(x) != self._spec.size_bytes:
            raise ConfigError(f"input {index} has {len(x)} bytes, the key's inputs have {self._spec.size_bytes}")
        return x

    def open(self, index: int) -> Opening:
        """The opening of leaf ``index``; whoever sends it burns the leaf."""
        return Opening(
            aux=b"", index=index, inputs=(self.input(index),), k=self.leaf_key(index), path=self._tree.path(index)
        )


def commit(
    commitment: Commitment, *, profile: Profile, keyctx: bytes, spec: InputSpec, classes: Sequence[str], owner: bytes
) -> KeyStatement:
    """Write down Z for a commitment, with secret labels in mode U born by Fiat-Shamir.

    Args:
        commitment: The leaves.
        profile: The profile.
        keyctx: The context the leaves were made with, 32 bytes.
        spec: What an input is.
        classes: Class names in the order of the model's outputs.
        owner: Ed25519 public key, 32 bytes.
    """
    return KeyStatement(
        N=commitment.count,
        R=commitment.root,
        classes=tuple(classes),
        input=spec,
        keyctx=keyctx,
        label_source="fiat-shamir",
        labels="secret",
        m=len(classes),
        mode="U",
        owner=owner,
        profile=profile.name,
        q=1,
        suite=SUITE,
    )


def key_payload(z: KeyStatement, profile: Profile) -> bytes:
    """Zbytes: the canonical statement whose subject is H("root", suite, R); at most 32 KiB.

    Raises:
        FormatError: Z breaks a rule, or is too large.
    """
    check_rules(z, profile)
    payload = compose_statement("key", z, ("root", profile.hash("root", z.suite, z.R)))
    if len(payload) > STATEMENT_LIMIT:
        raise FormatError(f"key statement: {len(payload)} bytes, at most {STATEMENT_LIMIT} are allowed")
    return payload
