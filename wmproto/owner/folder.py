"""A key folder: everything of one key but the owner's secrets.

    statement.json    the signed key statement
    recipe.json       where the inputs come from
    pictures.npz      the owner's own pictures, if that is where (secret until they are opened)
    activation.json   the receipt that gave life to the labels

Nothing is overwritten; each file is written whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from wmproto.commitment.builder import Commitment, InputSource, commit
from wmproto.commitment.statement import InputSpec, VerifiedKey, verify_key
from wmproto.crypto.secretfile import Secret
from wmproto.errors import ConfigError, NotFoundError, StateError
from wmproto.owner.activated import ActivatedKey, activate
from wmproto.registry.note import LogKey
from wmproto.triggers.folder import Pictures, load_folder
from wmproto.triggers.noise import noise_input
from wmproto.wire.dsse import ENVELOPE_LIMIT, Envelope
from wmproto.wire.files import read_file, write_new
from wmproto.wire.profile import Profile
from wmproto.wire.schema import B64, Hex32, Wire

__all__ = ["Activation", "KeyFolder", "Recipe"]

_Progress = Callable[[int, int], None] | None


class Recipe(Wire):
    """Where a key's inputs come from: keyed noise, or the owner's own pictures beside this file."""

    family: Literal["noise", "folder"]
    format: Literal["wmproto/recipe@v1"]


class Activation(Wire):
    """The labels of this key exist: the receipt that says so, beta, and the log's vkey."""

    beta: Hex32
    format: Literal["wmproto/activation@v1"]
    key_id: Hex32
    log: str
    receipt: B64


class KeyFolder:
    """A key folder on disk.

    Args:
        path: The folder.
        profile: The profile.
    """

    def __init__(self, path: Path, *, profile: Profile) -> None:
        self.path, self.profile = path, profile

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        secret: Secret,
        keyctx: bytes,
        profile: Profile,
        classes: tuple[str, ...],
        count: int,
        shape: tuple[int, int, int] | None = None,
        pictures: Path | None = None,
        progress: _Progress = None,
    ) -> KeyFolder:
        """Commit to inputs and write a new key folder.

        Args:
            path: Must not exist yet.
            secret: The owner's secrets.
            keyctx: 32 fresh bytes that the owner's key file already remembers.
            profile: The profile.
            classes: Class names in the order of the model's outputs.
            count: N, the number of leaves.
            shape: (H, W, C) of keyed noise, or the shape that the pictures must have.
            pictures: The owner's own pictures, a folder or an .npz; None for keyed noise.
            progress: Called with (leaves done, N).

        Raises:
            ConfigError: The folder exists, N does not fit the pictures, ...
            FormatError: Z breaks a rule.
        """
        if path.exists():
            raise ConfigError(f"{path} exists already", hint="each key gets a folder of its own")
        if not profile.is_leaf_count(count):
            raise ConfigError(
                f"a key cannot have {count} leaves",
                hint="N is a multiple of 16 from 16 to 2,048, or a multiple of 2,048 up to 65,536",
            )
        own = load_folder(pictures, shape) if pictures is not None else None
        if own is not None and len(own) != count:
            raise ConfigError(f"{len(own)} pictures for {count} leaves", hint=f"give --leaves {len(own)} if that fits")
        if own is None and shape is None:
            raise ConfigError("keyed noise needs a shape", hint="--shape 28x28x1")
        spec = InputSpec(dtype="uint8", kind="image", shape=own.shape if own is not None else shape or ())
        leaves = Commitment(
            profile=profile,
            master=secret.master or b"",
            keyctx=keyctx,
            count=count,
            spec=spec,
            source=_source(own, spec, profile),
            progress=progress,
        )
        signer = secret.signer()
        z = commit(leaves, profile=profile, keyctx=keyctx, spec=spec, classes=classes, owner=signer.public)
        envelope = signer.envelope(z.payload(profile))
        path.mkdir(parents=True)
        if own is not None:
            write_new(path / "pictures.npz", own.to_npz(), mode=0o600)
        recipe = Recipe(family="noise" if own is None else "folder", format="wmproto/recipe@v1")
        write_new(path / "recipe.json", recipe.to_bytes(), mode=0o644)
        write_new(path / "statement.json", envelope.to_bytes(), mode=0o644)  # last: a folder without it is no key
        return cls(path, profile=profile)

    def key(self) -> VerifiedKey:
        """The verified key statement."""
        return verify_key(self.statement(), profile=self.profile)

    def statement(self) -> Envelope:
        """The signed key statement."""
        return Envelope.parse(
            read_file(self.path / "statement.json", what="key statement", limit=ENVELOPE_LIMIT), what="key statement"
        )

    def commitment(self, secret: Secret, progress: _Progress = None) -> Commitment:
        """The leaves of the key, made again from the owner's secrets.

        Raises:
            ConfigError: The owner's key file is another's, or the pictures have changed.
        """
        key = self.key()
        if secret.signer().public != key.z.owner or secret.master is None:
            raise ConfigError("the key belongs to another owner", hint="use the key file it was committed with")
        recipe = Recipe.from_bytes(
            read_file(self.path / "recipe.json", what="recipe", limit=1 << 16), what="recipe", limit=1 << 16
        )
        shape = key.z.input.shape
        own = None
        if recipe.family == "folder":
            own = load_folder(self.path / "pictures.npz", (shape[0], shape[1], shape[2]))
        leaves = Commitment(
            profile=self.profile,
            master=secret.master,
            keyctx=key.z.keyctx,
            count=key.z.N,
            spec=key.z.input,
            source=_source(own, key.z.input, self.profile),
            progress=progress,
        )
        if leaves.root != key.z.R:
            raise ConfigError("the leaves have another root than the key", hint="have the pictures changed?")
        return leaves

    def activate(self, receipt: bytes, log: LogKey, secret: Secret, progress: _Progress = None) -> ActivatedKey:
        """Give life to the labels, once.

        Raises:
            StateError: Activated before.
            InclusionError: The key does not stand in that log.
        """
        if (self.path / "activation.json").exists():
            raise StateError(f"{self.path} was activated before", hint="labels are born once; go on with marking")
        key = self.key()
        active = activate(key, receipt, log, commitment=lambda: self.commitment(secret, progress))
        record = Activation(
            beta=key.beta, format="wmproto/activation@v1", key_id=key.key_id, log=str(log), receipt=receipt
        )
        write_new(self.path / "activation.json", record.to_bytes(), mode=0o644)
        return active

    def activation(self) -> Activation:
        """The activation record.

        Raises:
            StateError: Not activated.
        """
        try:
            data = read_file(self.path / "activation.json", what="activation", limit=1 << 20)
        except NotFoundError as err:
            raise StateError(
                f"{self.path} is not activated: its labels do not exist yet", hint="registry submit, then key activate"
            ) from err
        return Activation.from_bytes(data, what="activation", limit=1 << 20)

    def activated(self, secret: Secret, progress: _Progress = None) -> ActivatedKey:
        """The activated key; the receipt is verified again.

        Raises:
            StateError: Not activated.
        """
        record = self.activation()
        log = LogKey.parse(record.log)
        return activate(self.key(), record.receipt, log, commitment=lambda: self.commitment(secret, progress))


def _source(own: Pictures | None, spec: InputSpec, profile: Profile) -> InputSource:
    if own is not None:
        return lambda i, _seed: own.input(i)
    height, width, channels = spec.shape
    return lambda _i, seed: noise_input(profile, seed, (height, width, channels))
