"""A key folder: everything of one key but the owner's secrets.

    statement.json    the signed key statement
    recipe.json       where the inputs come from
    pictures.npz      the owner's own pictures, if that is where (secret until they are opened)
    activation.json   the receipt that gave life to the labels

Nothing is overwritten; the folder, and later each file, is written whole or not at all.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Literal

from wmproto.commitment.builder import Commitment, InputSource, commit, key_payload
from wmproto.commitment.statement import INPUT_LIMIT, STATEMENT_LIMIT, InputSpec, VerifiedKey, verify_key
from wmproto.crypto.secretfile import Secret
from wmproto.errors import ConfigError, NotFoundError, StateError
from wmproto.owner.activated import ActivatedKey, activate
from wmproto.registry.note import LogKey
from wmproto.triggers.folder import Pictures, load_folder
from wmproto.triggers.noise import noise_input
from wmproto.wire.compose import is_text
from wmproto.wire.dsse import ENVELOPE_LIMIT, Envelope
from wmproto.wire.files import read_file
from wmproto.wire.profile import Profile
from wmproto.wire.schema import B64, Hex32, Wire
from wmproto.wire.writing import sync_folder, write_new

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
        pictures: Pictures | None = None,
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
            pictures: The owner's own pictures; None for keyed noise.
            progress: Called with (leaves done, N).

        Raises:
            ConfigError: See check_new_key; or the folder cannot be written, and nothing of it is there.
        """
        spec = check_new_key(path, profile=profile, classes=classes, count=count, shape=shape, pictures=pictures)
        leaves = Commitment(
            profile=profile,
            master=secret.master or b"",
            keyctx=keyctx,
            count=count,
            spec=spec,
            source=_source(pictures, spec, profile),
            progress=progress,
        )
        signer = secret.signer()
        z = commit(leaves, profile=profile, keyctx=keyctx, spec=spec, classes=classes, owner=signer.public)
        recipe = Recipe(family="noise" if pictures is None else "folder", format="wmproto/recipe@v1")
        draft = path.with_name(f".wmproto-{secrets.token_hex(8)}.tmp")
        try:
            draft.mkdir(parents=True)
            if pictures is not None:
                write_new(draft / "pictures.npz", pictures.to_npz(), mode=0o600)
            write_new(draft / "recipe.json", recipe.to_bytes(), mode=0o644)
            write_new(draft / "statement.json", signer.envelope(key_payload(z, profile)).to_bytes(), mode=0o644)
            draft.rename(path)
            sync_folder(path)  # the statement is about to be logged: its folder must not be lost
        except ConfigError as err:  # it names the draft, which nobody will find
            raise ConfigError(str(err).replace(str(draft), str(path)), hint=err.hint) from err
        except OSError as err:
            reason = (err.strerror or str(err)).lower()
            raise ConfigError(
                f"cannot make the folder {path}: {reason}", hint="look at the path and its permissions"
            ) from err
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return cls(path, profile=profile)

    def key(self) -> VerifiedKey:
        """The verified key statement."""
        return verify_key(self.statement(), profile=self.profile)

    def statement(self) -> Envelope:
        """The signed key statement.

        Raises:
            ConfigError: There is none.
            FormatError: Malformed.
        """
        return Envelope.parse(self._read("statement.json", ENVELOPE_LIMIT), what=str(self.path / "statement.json"))

    def _read(self, name: str, limit: int) -> bytes:
        try:
            return read_file(self.path / name, what=name, limit=limit)
        except NotFoundError as err:
            raise self._lacks(name) from err

    def _lacks(self, name: str) -> ConfigError:
        hint = "commit create makes one" if name == "statement.json" else "restore it from a backup"
        return ConfigError(f"{self.path} is no whole key folder: there is no {name}", hint=hint)

    def commitment(self, secret: Secret, progress: _Progress = None) -> Commitment:
        """The leaves of the key, made again from the owner's secrets.

        Raises:
            ConfigError: The owner's key file is another's, or the pictures have changed.
        """
        key = self.key()
        if secret.signer().public != key.z.owner or secret.master is None:
            raise ConfigError("the key belongs to another owner", hint="use the key file it was committed with")
        recipe = Recipe.from_bytes(
            self._read("recipe.json", 1 << 16), what=str(self.path / "recipe.json"), limit=1 << 16
        )
        shape = key.z.input.shape
        own = None
        if recipe.family == "folder":
            try:
                own = load_folder(self.path / "pictures.npz", (shape[0], shape[1], shape[2]))
            except NotFoundError as err:
                raise self._lacks("pictures.npz") from err
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
        self.check_not_activated()
        key = self.key()
        active = activate(key, receipt, log, commitment=lambda: self.commitment(secret, progress))
        record = Activation(
            beta=key.beta, format="wmproto/activation@v1", key_id=key.key_id, log=str(log), receipt=receipt
        )
        write_new(self.path / "activation.json", record.to_bytes(), mode=0o644)
        return active

    @property
    def is_activated(self) -> bool:
        """Whether there is an activation record; says nothing about whether it holds."""
        return os.path.lexists(self.path / "activation.json")

    def check_not_activated(self) -> None:
        """Raise StateError if the labels exist already."""
        if self.is_activated:
            raise StateError(f"{self.path} was activated before", hint="labels are born once; go on with marking")

    def activation(self) -> Activation:
        """The activation record.

        Raises:
            StateError: Not activated.
            ConfigError: Not a key folder.
        """
        if not self.is_activated:
            self.statement()  # raises if this is no key folder at all
            raise StateError(
                f"{self.path} is not activated: its labels do not exist yet", hint="registry submit, then key activate"
            )
        data = self._read("activation.json", 1 << 20)
        return Activation.from_bytes(data, what=str(self.path / "activation.json"), limit=1 << 20)

    def activated(self, secret: Secret, progress: _Progress = None) -> ActivatedKey:
        """The activated key; the receipt is verified again.

        Raises:
            StateError: Not activated.
        """
        record = self.activation()
        log = LogKey.parse(record.log)
        return activate(self.key(), record.receipt, log, commitment=lambda: self.commitment(secret, progress))


def check_new_key(
    path: Path,
    *,
    profile: Profile,
    classes: tuple[str, ...],
    count: int,
    shape: tuple[int, int, int] | None,
    pictures: Pictures | None,
) -> InputSpec:
    """Check all that can be wrong with a new key before anything is made of it; see KeyFolder.create.

    Returns:
        What an input is.

    Raises:
        ConfigError: The folder exists; N is not allowed, or not the number of pictures; the inputs have no shape,
            another shape, or are too large; the class names are not acceptable.
    """
    if os.path.lexists(path):
        raise ConfigError(f"{path} exists already", hint="each key gets a folder of its own")
    rule = "N is a multiple of 16 from 16 to 2,048, or a multiple of 2,048 up to 65,536"
    if not profile.is_leaf_count(count):
        raise ConfigError(f"a key cannot have {count} leaves", hint=rule)
    if pictures is not None and len(pictures) != count:
        fits = profile.is_leaf_count(len(pictures))
        raise ConfigError(
            f"{len(pictures)} pictures for {count} leaves",
            hint=f"give --leaves {len(pictures)}" if fits else f"add or remove pictures: {rule}",
        )
    if pictures is not None and shape is not None and pictures.shape != shape:
        raise ConfigError(f"the pictures are {_by(pictures.shape)}, not {_by(shape)}", hint="leave --shape out")
    size = pictures.shape if pictures is not None else shape
    if size is None:
        raise ConfigError("keyed noise needs a shape", hint="--shape 28x28x1, or --pictures for your own")
    if prod(size) > INPUT_LIMIT:
        raise ConfigError(f"a picture of {_by(size)} has more than {INPUT_LIMIT} bytes", hint="use smaller pictures")
    _check_classes(classes)
    return InputSpec(dtype="uint8", kind="image", shape=size)


def _check_classes(classes: tuple[str, ...]) -> None:
    hint = "names with commas between, as many as the model has outputs, 2 to 4,096"
    if not 2 <= len(classes) <= 4096:
        raise ConfigError(f"a key cannot have {len(classes)} class{'es' * (len(classes) != 1)}", hint=hint)
    for at, name in enumerate(classes):
        if not is_text(name):
            raise ConfigError(
                f"class {at} has the name {name!r}", hint="1 to 128 bytes of text without control characters"
            )
    twice = {name for name in classes if classes.count(name) > 1} if len(set(classes)) < len(classes) else set()
    if twice:
        raise ConfigError(f"two classes have the name {min(twice)!r}", hint=hint)
    if sum(len(name.encode()) + 3 for name in classes) > STATEMENT_LIMIT - 2048:
        raise ConfigError("the class names are too long together", hint="shorten them: 30 KiB in all")


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _source(own: Pictures | None, spec: InputSpec, profile: Profile) -> InputSource:
    if own is not None:
        return lambda i, _seed: own.input(i)
    height, width, channels = spec.shape
    return lambda _i, seed: noise_input(profile, seed, (height, width, channels))
