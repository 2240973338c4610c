"""Every wire class above the torch line, and a valid sample of each, made from its fields."""

import importlib
import pkgutil
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, MinLen

import wmproto
from wmproto.commitment.statement import KeyStatement
from wmproto.wire import schema
from wmproto.wire.dsse import Statement
from wmproto.wire.schema import Wire

BELOW_THE_LINE = ("cli", "models", "marking", "attacks", "games", "report", "__main__")
ARCHITECTURE = {
    "grammar": "layers/1",
    "input": {"dtype": "uint8", "shape": [2, 2, 1]},
    "layers": [
        {"op": "affine", "scale": [[1, 255]], "shift": [[0, 1]]},
        {"op": "residual", "body": [{"op": "relu"}], "shortcut": []},
        {"op": "flatten"},
        {"bias": True, "features": 3, "op": "linear"},
    ],
}


def wire_classes():
    """Every subclass of Wire, by name; a generic one with one parameter."""
    for module in pkgutil.walk_packages(wmproto.__path__, "wmproto."):
        if module.name.split(".")[1] not in BELOW_THE_LINE:
            importlib.import_module(module.name)
    found, todo = {"Statement[KeyStatement]": Statement[KeyStatement]}, [Wire]
    while todo:
        for cls in todo.pop().__subclasses__():
            todo.append(cls)
            if cls is not Statement and cls.__module__.startswith("wmproto."):
                found[cls.__name__] = cls
    return dict(sorted(found.items()))


def sample(cls):
    """The JSON value of a valid object of the class."""
    if cls.__name__ == "Architecture":
        return ARCHITECTURE
    hints = get_type_hints(cls, include_extras=True)
    return {
        info.alias or name: _value(info.annotation if isinstance(hints[name], TypeVar) else hints[name], info.metadata)
        for name, info in cls.model_fields.items()
    }


def _value(hint: Any, metadata: list[Any]) -> Any:
    metadata = list(metadata)
    while get_origin(hint) is Annotated:
        hint, *more = get_args(hint)
        for item in more:
            metadata += getattr(item, "metadata", [item])
    functions = [getattr(item, "func", None) for item in metadata]
    least = max((item.min_length for item in metadata if isinstance(item, MinLen)), default=0)
    origin, parameters = get_origin(hint), get_args(hint)
    if schema._hex32 in functions:
        return "0f" * 32
    if schema._b64 in functions:
        return schema.encode_b64(b"\xff" * max(least, 4))
    if origin is Literal:
        return parameters[0]
    if origin in (Union, UnionType):
        return _value(next(p for p in parameters if p is not NoneType), [])
    if origin is tuple:
        if parameters[-1] is Ellipsis:
            return [_value(parameters[0], [])] * max(least, 1)
        return [_value(p, []) for p in parameters]
    if origin is dict:
        return {"any": "text" if parameters[1] is str else [1, None, "text"]}
    if hint is bool:
        return True
    if hint is int:
        return max((item.ge for item in metadata if isinstance(item, Ge)), default=0) or 1
    if hint is str:
        return "text é"
    if isinstance(hint, type) and issubclass(hint, Wire):
        return sample(hint)
    raise TypeError(f"extend this function: {hint}")
