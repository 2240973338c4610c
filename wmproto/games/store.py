"""The folder of a run: the grid, trained models by what they follow from, and one record a cell. Every write is whole.

    RUNS/grid.yaml          the grid, byte for byte
    RUNS/attacks/           attacks of the reader's own that it names, as they were
    RUNS/cells.json         id and description of every cell, in the order of the grid
    RUNS/run.json           format, device, versions, digests of the data, where they lie
    RUNS/models/ID.*        a trained network (model file) and what is known of it; ID follows from all that made it
    RUNS/cells/ID.json      the record of a played cell
    RUNS/records.jsonl      all records in the order of the grid, written when a run ends or stops

A run that is stopped at any moment goes on: what stands in ``models`` and ``cells`` is not done again.
"""

from __future__ import annotations

import fcntl
import json
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wmproto import __version__
from wmproto.errors import ConfigError, CorruptStoreError, FormatError, NotFoundError, StateError, WmprotoError
from wmproto.games.grid import digits
from wmproto.games.record import Record, parse_record
from wmproto.models.network import Network
from wmproto.models.weights import load_network, save_model
from wmproto.release.modelfile import read_model
from wmproto.release.tensors import WEIGHTS_LIMIT
from wmproto.wire.files import read_file, told
from wmproto.wire.writing import replace, write_new

__all__ = ["Artefact", "RunFolder", "reason", "versions"]

FORMAT = "wmproto/run@v1"
_SMALL = 1 << 24  # bytes of a JSON file


@cache
def versions() -> dict[str, str]:
    """What a record follows from beside its cell; ``code`` is a digest of wmproto's own files."""
    root = Path(__file__).parents[1]
    files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))
    code = sha256(b"".join(sha256(name.encode()).digest() + _digest(root / name) for name in files))
    return {
        "code": code.hexdigest()[:16],
        "numpy": np.__version__,
        "pillow": metadata.version("pillow") if find_spec("PIL") else "none",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "wmproto": __version__,
    }


def _digest(path: Path) -> bytes:
    return sha256(path.read_bytes()).digest()


@dataclass(frozen=True, slots=True)
class Artefact:
    """A trained network in the store, and facts about it: JSON values."""

    network: Network
    facts: dict[str, Any]


class RunFolder:
    """A run's folder that exists; see create() and open().

    Attributes:
        path: The folder.
        device: ``cpu``, or a name that torch knows.
        data: Folder of data files, or None.
        digests: Of the data that the run began with.
    """

    def __init__(self, path: Path, facts: Mapping[str, Any]) -> None:
        self.path = path
        self.device: str = facts["device"]
        self.data = Path(facts["data"]) if facts["data"] else None
        self.digests: dict[str, str] = facts["digests"]

    @property
    def attacks(self) -> Path:
        """The folder that files of attacks are looked for in."""
        return self.path / "attacks"

    @classmethod
    def create(
        cls,
        path: Path,
        grid: bytes,
        *,
        device: str,
        data: Path | None,
        digests: Mapping[str, str],
        cells: Sequence[tuple[str, str]],
        attacks: Mapping[Path, bytes],
    ) -> RunFolder:
        """Make the folder.

        Args:
            path: Where nothing is yet.
            grid: The grid's bytes.
            device: Where models run.
            data: Folder of data files, or None.
            digests: Of the data, by name; a run goes on with no others.
            cells: (id, description) of every cell.
            attacks: Files of the reader's own attacks, as the grid names them.

        Raises:
            ConfigError: It exists already, or cannot be written.
        """
        facts = {
            "data": str(data.resolve()) if data else None,
            "device": device,
            "digests": dict(digests),
            "format": FORMAT,
            "versions": versions(),
        }
        with told("make", path):
            path.mkdir()
            for name in ("models", "cells", "attacks"):
                (path / name).mkdir()
        write_new(path / "grid.yaml", grid)
        write_new(path / "cells.json", _json([list(cell) for cell in cells]))
        for file, text in attacks.items():
            with told("make", path / "attacks" / file):
                (path / "attacks" / file).parent.mkdir(parents=True, exist_ok=True)
            write_new(path / "attacks" / file, text)
        write_new(path / "run.json", _json(facts))  # last: a folder without it is no run
        return cls(path, facts)

    @classmethod
    def open(cls, path: Path, *, any_version: bool = False) -> RunFolder:
        """Open the folder of a run.

        Args:
            path: The folder.
            any_version: Also one that was made by other versions of wmproto, torch, numpy or Python: to read it alone.

        Raises:
            ConfigError: There is none, or it was made by other versions: its records would not be of one kind.
            FormatError: Its run.json is damaged, or of another format.
        """
        try:
            facts = _read_json(path / "run.json", "run")
        except NotFoundError as err:
            raise ConfigError(f"{str(path)!r} is not the folder of a run", hint="wmproto game run makes one") from err
        if facts.get("format") != FORMAT:
            raise FormatError(f"{path}: a run of format {facts.get('format')!r}, this version reads {FORMAT}")
        if facts.get("versions") != versions() and not any_version:
            theirs = facts.get("versions", {})
            other = sorted(name for name, value in versions().items() if theirs.get(name) != value)
            raise ConfigError(
                f"{path}: a run of other versions: {', '.join(f'{n} {theirs.get(n)}' for n in other)}",
                hint="go on with these versions, or start a new run; report build reads it as it is",
            )
        return cls(path, facts)

    def cells(self) -> list[tuple[str, str]]:
        """(id, description) of every cell; no attack is loaded for it."""
        found = _read_json(self.path / "cells.json", "list of cells", list)
        return [(str(cell), str(text)) for cell, text in found]

    def grid_bytes(self) -> bytes:
        """The grid as it was given."""
        return read_file(self.path / "grid.yaml", what="grid", limit=1 << 20)

    # --- models -------------------------------------------------------------------------------------------------

    def artefact(self, spec: Mapping[str, Any], make: Callable[[], tuple[Network, dict[str, Any]]]) -> Artefact:
        """The network that follows from ``spec``: read if it is there, else made and kept. One process makes it.

        Args:
            spec: All that it follows from, JSON values; device and versions are added.
            make: Makes it, with facts to keep beside it.

        Raises:
            StateError: It cannot be made; says why.
            CorruptStoreError: What is there is damaged; remove it to make it again.
            ConfigError: It cannot be written.
        """
        name, whole = self.name(spec), {**spec, "device": self.device, "versions": versions()}
        with self._locked(name):
            found = self._load(name)
            if found is None:
                try:
                    network, facts = make()
                except CorruptStoreError:
                    raise
                except (Exception, SystemExit) as err:  # training, or an attack that may be a stranger's code
                    raise StateError(f"cannot make the {spec['kind']}: {reason(err)}") from err
                self._keep(name, network, {"facts": facts, "spec": whole})
                found = self._load(name)
        if found is None:
            raise CorruptStoreError(f"{self._model(name)} has vanished")
        return found

    def name(self, spec: Mapping[str, Any]) -> str:
        """What the network that follows from ``spec`` is called here: 16 hexadecimal digits."""
        return digits({**spec, "device": self.device, "versions": versions()})

    def has(self, name: str) -> bool:
        """Whether a network of that name is there already."""
        return self._model(name).with_suffix(".json").exists()

    def _model(self, name: str) -> Path:
        return self.path / "models" / f"{name}.safetensors"

    def _keep(self, name: str, network: Network, known: dict[str, Any]) -> None:
        data = save_model(network, network.architecture)
        replace(self._model(name), data)
        replace(self._model(name).with_suffix(".json"), _json({**known, "sha256": sha256(data).hexdigest()}))

    def _load(self, name: str) -> Artefact | None:
        path = self._model(name)
        try:
            known = _read_json(path.with_suffix(".json"), "model's facts")
            data = read_file(path, what="model", limit=WEIGHTS_LIMIT)
        except NotFoundError:
            return None
        if sha256(data).hexdigest() != known.get("sha256"):
            raise CorruptStoreError(
                f"{path} has not the digest that was written down with it",
                hint="it was changed or damaged: remove it and resume, and it is trained again",
            )
        return Artefact(load_network(read_model(data)), known["facts"])

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        path = self.path / "models" / f"{name}.lock"
        with told("write", path), path.open("w") as file:
            while True:  # not a blocking lock: Ctrl-C must be heard
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    time.sleep(0.05)
            yield

    # --- records ------------------------------------------------------------------------------------------------

    def record(self, cell: str) -> Record | None:
        """The record of a cell that was played, None if there is none; raises FormatError if it is damaged."""
        path = self.path / "cells" / f"{cell}.json"
        try:
            return parse_record(read_file(path, what="record", limit=_SMALL), what=str(path))
        except NotFoundError:
            return None

    def keep(self, record: Record) -> None:
        """Write a record in the place of one that may be there; raises ConfigError if it cannot be written."""
        replace(self.path / "cells" / f"{record.cell}.json", record.to_line())

    def gather(self, cells: list[str]) -> list[Record]:
        """All records there are, in this order; also written as records.jsonl."""
        found = [record for cell in cells if (record := self.record(cell)) is not None]
        replace(self.path / "records.jsonl", b"".join(record.to_line() for record in found))
        return found


def reason(err: BaseException) -> str:
    """An error as one line."""
    text = str(err) if isinstance(err, WmprotoError) else f"{type(err).__name__}: {err}"
    return " ".join(text.split())[:500]


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n"


def _read_json(path: Path, what: str, kind: type = dict) -> Any:
    data = read_file(path, what=what, limit=_SMALL)
    try:
        value = json.loads(data)
    except ValueError as err:
        raise FormatError(f"{path}: not JSON") from err
    if not isinstance(value, kind):
        raise FormatError(f"{path}: not a JSON {kind.__name__}")
    return value
