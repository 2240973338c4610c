"""Every scheme, attack, architecture and data set that a grid may name; strangers' attacks are loaded from a file."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from wmproto.attacks.attack import Adversary, EvasionAttack, ExtractionAttack, RemovalAttack
from wmproto.attacks.claim.claim import ClaimAttack, ForgeryAttack
from wmproto.errors import ConfigError
from wmproto.games.naming import nearest
from wmproto.marking.adi_schemes import AdiFromScratch, AdiPretrained
from wmproto.marking.scheme import Scheme
from wmproto.models.cnn import small_cnn
from wmproto.models.resnet import resnet18
from wmproto.models.wide_cnn import wide_cnn
from wmproto.release.architecture import Architecture

__all__ = ["ATTACKS", "MODELS", "SCHEMES", "attack_class", "kind_of", "named", "own_digest", "own_files", "settings_of"]

SCHEMES: dict[str, type[Scheme]] = {each.name: each for each in (AdiFromScratch, AdiPretrained)}

#: name -> module and class; a module is imported when a grid names its attack.
ATTACKS = {
    "ftll": "removal.ftll:Ftll",
    "ftal": "removal.ftal:Ftal",
    "rtll": "removal.rtll:Rtll",
    "rtal": "removal.rtal:Rtal",
    "prune": "removal.prune:Prune",
    "quantise": "removal.quantise:Quantise",
    "noise": "removal.noise:Noise",
    "overwrite": "removal.overwrite:Overwrite",
    "extract-hard": "extraction.hard:HardLabels",
    "extract-soft": "extraction.soft:SoftLabels",
    "blur": "evasion.blur:Blur",
    "jpeg": "evasion.jpeg:Jpeg",
    "transferable-pictures": "claim.transferable:TransferablePictures",
    "root-grinding": "claim.grinding:RootGrinding",
    "leaf-grinding": "claim.grinding:LeafGrinding",
    "lucky-blocks": "claim.lucky_blocks:LuckyBlocks",
    "guessed-opening": "claim.guessed_opening:GuessedOpening",
}

_Build = Callable[..., Architecture]
MODELS: dict[str, _Build] = {"small-cnn": small_cnn, "wide-cnn": wide_cnn, "resnet-18": resnet18}

_KINDS: tuple[tuple[type[Adversary[Any, Any]], str], ...] = (
    (RemovalAttack, "removal"),
    (ExtractionAttack, "extraction"),
    (EvasionAttack, "evasion"),
    (ClaimAttack, "claim"),
    (ForgeryAttack, "forgery"),
)


def attack_class(name: str, folder: Path) -> type[Adversary[Any, Any]]:
    """The class of an attack.

    Args:
        name: A name of ``ATTACKS``, or ``FILE.py:CLASS`` for one of the reader's own, whose code is then run.
        folder: Where such a file is looked for.

    Raises:
        ConfigError: Unknown, or a file that holds no such attack; hints at what is near.
    """
    if ".py:" in name:
        return _own(name, folder)
    if name not in ATTACKS:
        raise ConfigError(f"there is no attack {name!r}", hint=nearest(name, list(ATTACKS)))
    module, _, cls = ATTACKS[name].partition(":")
    return cast(type[Adversary[Any, Any]], getattr(importlib.import_module(f"wmproto.attacks.{module}"), cls))


def _own(name: str, folder: Path) -> type[Adversary[Any, Any]]:
    file, _, cls = name.rpartition(":")
    path = folder / file
    module_name = f"wmproto_own_{sha256(str(path.resolve()).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    try:
        if spec is None or spec.loader is None:
            raise ImportError("no Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module  # dataclasses look their annotations up there
        spec.loader.exec_module(module)
        found = getattr(module, cls)
    except Exception as err:  # whatever a stranger's file does wrong
        raise ConfigError(f"cannot load the attack {name!r}: {type(err).__name__}: {err}") from err
    if not (isinstance(found, type) and issubclass(found, tuple(base for base, _ in _KINDS))):
        raise ConfigError(f"{name!r} is no attack", hint="subclass RemovalAttack, ExtractionAttack or EvasionAttack")
    parameters = getattr(found, "__dataclass_params__", None)
    if parameters is None or not parameters.frozen or "__dataclass_params__" not in vars(found):
        raise ConfigError(f"{name!r} is no frozen dataclass", hint="write @dataclass(frozen=True) above the class")
    if not all(isinstance(getattr(found, word, None), str) for word in ("name", "source")):
        raise ConfigError(
            f"{name!r} has no name or no source", hint='name: ClassVar[str] = "its-word"; likewise source'
        )
    if inspect.isabstract(found):
        raise ConfigError(f"{name!r} has no method run", hint="def run(self, view, run) returns the model")
    return cast(type[Adversary[Any, Any]], found)


def own_files(names: Iterable[str]) -> list[Path]:
    """The files of strangers' attacks among these names, as they stand there, each once."""
    return [Path(file) for file in dict.fromkeys(name.rpartition(":")[0] for name in names if ".py:" in name)]


def own_digest(name: str, folder: Path) -> str | None:
    """SHA-256 of a stranger's attack file, so that another text is another attack; None for ours."""
    return sha256((folder / name.rpartition(":")[0]).read_bytes()).hexdigest() if ".py:" in name else None


def kind_of(attack: type[Adversary[Any, Any]]) -> str:
    """removal, extraction, evasion, claim or forgery."""
    return next(kind for base, kind in _KINDS if issubclass(attack, base))


def named(made: Scheme | Adversary[Any, Any]) -> dict[str, Any]:
    """Name and settings, as JSON values."""
    return {"name": made.name, "settings": settings_of(made)}


def settings_of(made: object) -> dict[str, Any]:
    """All settings of a scheme or an attack, defaults too."""
    return {field.name: getattr(made, field.name) for field in fields(made)}  # type: ignore[arg-type]
