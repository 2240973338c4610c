"""A grid's form in YAML (specs/games.md, "Grids"): every value is checked here, and an error says the line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, TypeVar, cast

from wmproto.attacks.budget import Budget
from wmproto.errors import ConfigError
from wmproto.games.catalogue import ATTACKS, MODELS, SCHEMES, attack_class, own_digest
from wmproto.games.data import SOURCES
from wmproto.games.grid import MOST_CELLS, Attacker, DataSpec, Grid, KeySpec
from wmproto.games.naming import nearest
from wmproto.games.record import GAMES
from wmproto.games.yamltree import Item, read_yaml
from wmproto.models.fit import Training
from wmproto.models.recipe import Recipe
from wmproto.wire.profile import WMPROTO_1

__all__ = ["FORMAT", "GRID_LIMIT", "parse_grid"]

FORMAT = "wmproto/grid@v1"
GRID_LIMIT = 1 << 20  # bytes
_PROFILES = ("wmproto/1", "adi2018")
_NEEDED = ("format", "name", "games", "profiles", "data", "models", "training", "keys", "budgets", "seeds")
_SHARES = ("owner", "thief", "stranger", "test")
_MOST = 1 << 40  # samples or queries
_Made = TypeVar("_Made")


def parse_grid(data: bytes, *, what: str, folder: Path) -> Grid:
    """Read a grid.

    Args:
        data: YAML.
        what: Name of the file, for messages.
        folder: Where files of attacks are looked for.

    Raises:
        FormatError: Not YAML.
        ConfigError: A name or value is wrong, or the grid has too many cells; says the line, and what is near.
    """
    top = read_yaml(data, what=what)
    found = top.mapping((*_NEEDED, "schemes", "attacks"), needed=_NEEDED)
    if found["format"].value != FORMAT:
        raise found["format"].error(f"the format must be {FORMAT}")
    grid = Grid(
        name=found["name"].text(),
        games=_names(found["games"], GAMES, "game"),
        profiles=_names(found["profiles"], _PROFILES, "profile"),
        data=tuple(_data(each) for each in found["data"].listed()),
        models=_names(found["models"], tuple(MODELS), "model"),
        training=_training(found["training"]),
        keys=_keys(found["keys"]),
        schemes=tuple(made for each in _optional(found, "schemes") for made in _schemes(each)),
        attacks=tuple(made for each in _optional(found, "attacks") for made in _attacks(each, folder)),
        budgets=tuple(_budget(each) for each in found["budgets"].listed()),
        seeds=tuple(each.integer(0, 2**62 - 1) for each in found["seeds"].listed()),
    )
    if not grid.schemes and set(grid.games) - {"false-claim"}:
        raise top.error("a game needs a scheme", hint="add schemes: [{name: adi-from-scratch}]")
    if grid.count > MOST_CELLS:
        raise top.error(
            f"the grid has {grid.count:,} cells, at most {MOST_CELLS:,} are played", hint="sweep less at once"
        )
    try:
        names = {cell.id for cell in grid.cells()}
    except (TypeError, ValueError) as err:
        raise top.error(f"a setting of an attack is no JSON value: {err}") from err
    if len(names) != grid.count:
        raise top.error("something stands in the grid twice", hint="look for a setting or seed that is listed twice")
    return grid


def _optional(found: dict[str, Item], name: str) -> list[Item]:
    return found[name].listed() if name in found else []


def _names(item: Item, known: tuple[str, ...], what: str) -> tuple[str, ...]:
    names = []
    for each in item.listed():
        if (name := each.text()) not in known:
            raise each.error(f"there is no {what} {name!r}", hint=nearest(name, known))
        names.append(name)
    return tuple(names)


def _data(item: Item) -> DataSpec:
    found = item.mapping(("name", "file", "test-file", "overlap", *_SHARES), needed=("name", *_SHARES))
    name = found["name"].text()
    if "file" not in found and name not in SOURCES:
        raise found["name"].error(f"there is no data set {name!r}", hint=f"{nearest(name, SOURCES)} Or give a file")
    if "test-file" in found and "file" not in found:
        raise found["test-file"].error("test-file goes with file")
    sizes = {each: found[each].integer(1, 10_000_000) for each in _SHARES}
    file, test_file = (found[each].text() if each in found else None for each in ("file", "test-file"))
    overlap = found["overlap"].truth() if "overlap" in found else False
    return DataSpec(name, file, test_file, **sizes, overlap=overlap)


def _training(item: Item) -> Training:
    found = item.mapping(
        ("epochs", "lr", "schedule", "weight-decay", "batch", "augment"), needed=("epochs", "lr", "batch")
    )
    values = {name: each.scalar() for name, each in found.items()}

    def made() -> Training:
        schedule, augment = values.get("schedule", "cosine"), values.get("augment", "none")
        decay = _number(values.get("weight-decay", 0.0))
        recipe = Recipe(_whole(values["epochs"]), _number(values["lr"]), cast(Any, schedule), decay)  # they check
        return Training(recipe, _whole(values["batch"]), cast(Any, augment))

    return _checked(item, made)


def _keys(item: Item) -> KeySpec:
    found = item.mapping(("leaves", "triggers", "pictures"), needed=("leaves", "triggers"))
    leaves = found["leaves"].integer(16, 65536)
    if not WMPROTO_1.is_leaf_count(leaves):
        raise found["leaves"].error("leaves must be a multiple of 16, above 2,048 of 2,048")
    pictures = found["pictures"].text() if "pictures" in found else None
    return KeySpec(leaves, found["triggers"].integer(1, 65536), pictures)


def _budget(item: Item) -> Budget:
    names = ("forward", "backward", "queries")
    found = item.mapping(names, needed=names)
    return Budget(*(found[name].integer(0, _MOST) for name in names))


def _schemes(item: Item) -> list[Any]:
    found = item.value if isinstance(item.value, dict) else {"name": item}
    if "name" not in found:
        raise item.error("'name' is missing")
    name = found["name"].text()
    if name not in SCHEMES:
        raise found["name"].error(f"there is no scheme {name!r}", hint=nearest(name, list(SCHEMES)))
    return _swept(item, SCHEMES[name], found)


def _attacks(item: Item, folder: Path) -> list[Attacker]:
    found = item.value if isinstance(item.value, dict) else {"name": item}
    if "name" not in found:
        raise item.error("'name' is missing", hint=f"one of {', '.join(ATTACKS)}, or FILE.py:CLASS")
    name = found["name"].text()
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise found["name"].error("an attack's file lies beside the grid, or in a folder below it")
    try:
        cls, digest = attack_class(name, folder), own_digest(name, folder)
    except ConfigError as err:
        raise found["name"].error(str(err), hint=err.hint) from err
    return [Attacker(name, made, digest) for made in _swept(item, cls, found)]


def _swept(item: Item, cls: type[_Made], found: dict[str, Item]) -> list[_Made]:
    """One object for each combination of listed settings."""
    kinds = {field.name: _word(field.type) for field in fields(cast(Any, cls))}
    given = {name: each for name, each in found.items() if name != "name"}
    for name, each in given.items():
        if name not in kinds:
            word = getattr(cls, "name", cls.__name__)
            raise each.error(f"{word} has no setting {name!r}", hint=nearest(name, list(kinds)) if kinds else None)
    choices = [[(name, _typed(one, kinds[name])) for one in each.listed()] for name, each in given.items()]
    if (count := prod(map(len, choices))) > MOST_CELLS:
        raise item.error(f"{count:,} combinations of settings, at most {MOST_CELLS:,} cells are played")
    return [_checked(item, partial(cls, **dict(chosen))) for chosen in product(*choices)]


def _word(kind: object) -> str:
    """A field's type as it is written: where annotations are not text, a stranger's file may have the type itself."""
    return kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))


def _typed(item: Item, kind: str) -> str | int | float | bool:
    value = item.scalar()
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    wanted = {"int": int, "float": float, "bool": bool}.get(kind, str)
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise item.error(f"{kind} is needed, not {value!r}")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"a whole number is needed, not {value!r}")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"a number is needed, not {value!r}")
    return float(value)


def _checked(item: Item, make: Callable[[], _Made]) -> _Made:
    try:
        return make()
    except ConfigError:
        raise
    except ValueError as err:
        raise item.error(str(err)) from err
    except Exception as err:  # of a stranger's class
        raise item.error(f"{type(err).__name__}: {err}") from err
