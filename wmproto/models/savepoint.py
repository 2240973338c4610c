"""A training kept on the disk between epochs: what was cut off goes on, and ends with the same bytes.

One safetensors file: tensors, and under the metadata key ``wmproto.training`` a record in canonical JSON of the epochs
done, of all that must be the same for the bytes to be the same, and of a digest over everything. It is the owner's own
file: the digest finds damage, not malice. It holds weights that have not left the house: nobody else may read it.

The word is not "checkpoint": that is the log's (specs/README.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import safetensors.torch
import torch
from torch import Tensor

from wmproto.errors import ConfigError, FormatError, NotFoundError
from wmproto.models.weights import UNREADABLE
from wmproto.release.modelfile import read_metadata
from wmproto.release.tensors import WEIGHTS_LIMIT
from wmproto.wire.canonical import canonical_json
from wmproto.wire.files import read_file, told
from wmproto.wire.framing import frame, sha256
from wmproto.wire.schema import Hex32, Uint, Wire
from wmproto.wire.writing import replace

__all__ = ["Savepoint"]

_KEY = "wmproto.training"  # a single entry: safetensors writes several in any order
_LIMIT = 3 * WEIGHTS_LIMIT  # weights, momentum, and what the loader keeps
_START_ANEW = "remove it to train from the start, or give another name"


class _Record(Wire):
    """What stands in the metadata."""

    digest: Hex32
    epoch: Uint
    format: Literal["wmproto/training@v1"]
    training: dict[str, str]


class Savepoint:
    """Where one training is kept. Nothing is read or written before a method is called.

    Args:
        path: The file; its folder must exist.
        training: Name -> value of all that makes this training what it is, in the order in which differences are told:
            data, seed, key... Version and threads of torch are added here; ``train`` adds what it knows itself.
    """

    def __init__(self, path: Path, training: Mapping[str, str | int]) -> None:
        self.path = path
        self._training = {name: str(value) for name, value in training.items()}
        self._training |= {"version of torch": torch.__version__, "number of threads": str(torch.get_num_threads())}

    def bound(self, more: Mapping[str, str]) -> Savepoint:
        """The same savepoint, of a training of which more is said."""
        return Savepoint(self.path, self._training | dict(more))

    def done(self) -> int:
        """Epochs that are done, 0 if the file is not there; raises as ``load``."""
        found = self._read()
        return found[0].epoch if found else 0

    def load(self, like: Mapping[str, Tensor]) -> tuple[int, dict[str, Tensor]] | None:
        """What was saved last.

        Args:
            like: Names, dtypes and shapes that the tensors must have.

        Returns:
            (epochs done, CPU tensors by name), or None if the file is not there.

        Raises:
            ConfigError: It is of another training, or cannot be read.
            FormatError: It is no savepoint, or a damaged one.
        """
        found = self._read()
        if found is None:
            return None
        record, tensors = found
        if {n: (t.dtype, t.shape) for n, t in tensors.items()} != {n: (t.dtype, t.shape) for n, t in like.items()}:
            raise self.damaged()
        return record.epoch, tensors

    def save(self, epoch: int, tensors: Mapping[str, Tensor]) -> None:
        """Keep the state after ``epoch`` epochs in place of the last one, whole or not at all.

        Args:
            epoch: 1 or more.
            tensors: By name: CPU, contiguous, any shape, any dtype that safetensors reads again, bfloat16 among them.

        Raises:
            ConfigError: It cannot be written; then the last one is still there.
        """
        record = self._record(epoch, self._training, tensors)
        data = safetensors.torch.save(dict(tensors), metadata={_KEY: record.to_bytes().decode()})
        replace(self.path, data, mode=0o600)

    def remove(self) -> None:
        """Remove the file, once what the training made is safe; raises ConfigError."""
        with told("remove", self.path):
            self.path.unlink(missing_ok=True)

    def damaged(self) -> FormatError:
        """The error that says that this file cannot be gone on with."""
        return FormatError(f"{self.path} is no savepoint of a training, or a damaged one", hint=_START_ANEW)

    def _read(self) -> tuple[_Record, dict[str, Tensor]] | None:
        try:
            data = read_file(self.path, what="savepoint", limit=_LIMIT)
        except NotFoundError:
            return None
        try:
            text = read_metadata(data, what="savepoint").get(_KEY, "")
            record = _Record.from_bytes(text.encode(), what="savepoint", limit=1 << 20)
            tensors = safetensors.torch.load(data)
            whole = record == self._record(record.epoch, record.training, tensors)
        except (FormatError, *UNREADABLE) as err:
            raise self.damaged() from err
        if not whole:
            raise self.damaged()
        for name, value in self._training.items():
            if record.training.get(name) != value:
                raise ConfigError(
                    f"{self.path} is of a training with another {name}", hint=f"give the same again, or {_START_ANEW}"
                )
        return record, tensors

    @staticmethod
    def _record(epoch: int, training: dict[str, str], tensors: Mapping[str, Tensor]) -> _Record:
        fields = [frame(epoch), canonical_json(training)]
        for name in sorted(tensors):
            tensor = tensors[name]
            raw = tensor.reshape(-1).view(torch.uint8).numpy()  # bytes: numpy has no bfloat16 and no float8
            fields.append(frame(name, str(tensor.dtype), frame(*tensor.shape), sha256(raw.tobytes())))
        return _Record(digest=sha256(frame(*fields)), epoch=epoch, format="wmproto/training@v1", training=training)
