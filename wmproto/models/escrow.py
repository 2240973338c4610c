"""A suspect whose weights lie in escrow: the arbitrator runs it himself, in one pinned way (access W).

One input at a time, float32, one thread, deterministic algorithms, no reduced precision, eval mode; the class rule is
the profile's (suspects/oracle.py). Whatever the process had set before, it has again after each call, also after an
exception; only other threads of the process may see the pinned state in between.

What it does not promise: the last bits of a score on another processor. ``settings`` pin the library's build, not the
processor, so an answer whose two best scores nearly tie may differ in a replay elsewhere.

Source: design "wmproto/1", sections 8.1 and 8.7; settings as in ``admit``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from importlib import metadata

import torch

from wmproto.errors import ConfigError
from wmproto.models.network import build_network
from wmproto.models.weights import load_tensors
from wmproto.release.architecture import Architecture
from wmproto.release.tensors import TensorDigest, model_digest, read_tensors
from wmproto.suspects.oracle import Library, Settings, best_class, check_length
from wmproto.wire.profile import WMPROTO_1, Profile

__all__ = ["EscrowSuspect", "installed_library", "pinned"]


class EscrowSuspect:
    """A network from its released bytes.

    Args:
        weights: A safetensors file with exactly the architecture's tensors.
        architecture: The checked architecture.
        profile: Whose tags h_f carries.

    Attributes:
        architecture: As given.
        tensors: Digest of each tensor, in byte order of the names: what a release lists.
        h_f: The model digest, 32 bytes; the caller compares it with ``bind``.
        shape: (H, W, C) or (F,) of one input.

    Raises:
        FormatError: The weights are not the architecture's; see read_tensors.
    """

    def __init__(self, weights: bytes, architecture: Architecture, *, profile: Profile = WMPROTO_1) -> None:
        self.architecture = architecture
        self.tensors: tuple[TensorDigest, ...] = read_tensors(weights, architecture, profile=profile)
        self.h_f = model_digest(architecture, self.tensors, profile=profile)
        self.shape = architecture.input.shape
        self._network = build_network(architecture, load_tensors(weights, architecture)).eval()
        self._network.requires_grad_(requires_grad=False)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.architecture.classes

    @property
    def settings(self) -> Settings:
        """How answers are computed, for ``admit``; raises ConfigError if torch's build cannot be named."""
        return {"dtype": "float32", "batch": 1, "threads": 1, "libraries": [installed_library("torch")]}

    def answer(self, inputs: bytes) -> int | None:
        """See Suspect.answer; the same input gives the same class, in any order and process of this machine."""
        return self.answers([inputs])[0]

    def answers(self, batch: Iterable[bytes]) -> list[int | None]:
        """Ask each input by itself, at batch size 1, pinning the process once for all.

        Raises:
            ConfigError: An input has not the length that the network takes.
        """
        return [best_class(scores) for scores in self.scores(batch)]

    def scores(self, batch: Iterable[bytes]) -> list[Sequence[float]]:
        """The scores behind answers(): float32 values, one a class."""
        inputs = list(batch)
        for one in inputs:
            check_length(one, self.shape)
        with pinned():
            return [self._forward(one) for one in inputs]

    def _forward(self, inputs: bytes) -> Sequence[float]:
        x = torch.frombuffer(bytearray(inputs), dtype=torch.uint8).reshape(1, *self.shape)
        out: list[float] = self._network(x)[0].tolist()
        return out


@contextmanager
def pinned() -> Iterator[None]:
    """Within: one thread, deterministic algorithms, full float32, no autocast, no gradients, denormals kept."""
    threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    precision = torch.get_float32_matmul_precision()
    flushed = bool((torch.tensor(2.0**-1074, dtype=torch.float64, device="cpu") * 1 == 0).item())
    try:
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        torch.set_float32_matmul_precision("highest")
        torch.set_flush_denormal(False)
        with torch.autocast("cpu", enabled=False), torch.device("cpu"), torch.inference_mode():
            yield
    finally:
        torch.set_flush_denormal(flushed)
        torch.set_float32_matmul_precision(precision)
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        torch.set_num_threads(threads)


@cache
def installed_library(name: str) -> Library:
    """Name, version and digest of an installed distribution; takes 0.1 s for torch, once a process.

    The digest is SHA-256 over the lines ``path,hash`` of the distribution's RECORD, sorted and each ended by a line
    feed, for the files under the package itself that have a hash, without ``.pyc``. So it depends on the wheel and not
    on the installer. It names a build; it is no check that the files on the disk are still those.

    Raises:
        ConfigError: Not installed, or installed without such a RECORD.
    """
    hint = f"install {name} from a wheel (pip or uv)"
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError as err:
        raise ConfigError(f"{name} is not an installed distribution", hint=hint) from err
    lines = sorted(
        f"{row[0]},{row[1]}\n".encode()
        for row in csv.reader((found.read_text("RECORD") or "").splitlines())
        if len(row) == 3 and row[0].startswith(f"{name}/") and row[1] and not row[0].endswith(".pyc")
    )
    if not lines:
        raise ConfigError(f"{name} was installed without a RECORD of its files", hint=hint)
    return {"name": name, "version": found.version, "digest": sha256(b"".join(lines)).hexdigest()}
