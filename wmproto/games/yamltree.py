"""YAML with the line of everything, so that an error can say which line is wrong.

A small part of YAML: mappings, sequences, and scalars that are what they look like. ``true`` and ``false`` alone are
truth values, ``1e-3`` is a number, everything else is text; anchors, aliases and tags are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

import yaml

from wmproto.errors import ConfigError, FormatError
from wmproto.games.naming import nearest

__all__ = ["Item", "read_yaml"]

Scalar = str | int | float | bool | None
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}$")
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?$")


@dataclass(frozen=True, slots=True)
class Item:
    """A value with the place it stands at.

    Attributes:
        value: A mapping of items, a list of items, or a scalar.
        line: From 1.
        what: Name of the file.
    """

    value: dict[str, Item] | list[Item] | Scalar
    line: int
    what: str

    def error(self, message: str, *, hint: str | None = None) -> ConfigError:
        """An error about this place."""
        return ConfigError(f"{self.what}, line {self.line}: {message}", hint=hint)

    def mapping(self, known: Sequence[str], *, needed: Sequence[str] = ()) -> dict[str, Item]:
        """A mapping with no other names than ``known`` and all that are ``needed``; raises ConfigError."""
        if not isinstance(self.value, dict):
            raise self.error(f"names with values are needed here: {', '.join(known)}")
        for name, item in self.value.items():
            if name not in known:
                raise item.error(f"there is no {name!r} here", hint=nearest(name, list(known)))
        for name in needed:
            if name not in self.value:
                raise self.error(f"{name!r} is missing")
        return self.value

    def listed(self) -> list[Item]:
        """A list that is not empty; one value counts as a list of it."""
        if isinstance(self.value, list):
            if not self.value:
                raise self.error("the list is empty")
            return self.value
        return [self]

    def text(self) -> str:
        """Text that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            raise self.error(f"text is needed, not {self._shown()}")
        return self.value

    def integer(self, least: int, most: int) -> int:
        """A whole number in a range."""
        if not isinstance(self.value, int) or isinstance(self.value, bool) or not least <= self.value <= most:
            raise self.error(f"a whole number from {least} to {most} is needed, not {self._shown()}")
        return self.value

    def truth(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.error(f"true or false is needed, not {self._shown()}")
        return self.value

    def scalar(self) -> str | int | float | bool:
        """Any single value."""
        if self.value is None or isinstance(self.value, dict | list):
            raise self.error("a single value is needed")
        return self.value

    def _shown(self) -> str:
        if isinstance(self.value, dict | list):
            return "a mapping" if isinstance(self.value, dict) else "a list"
        return "nothing" if self.value is None else repr(self.value)


def read_yaml(data: bytes, *, what: str) -> Item:
    """Read one document.

    Raises:
        FormatError: Not UTF-8, not YAML of this kind, a name twice, or nested beyond reason; says the line.
    """
    try:
        text = data.decode()
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            anchored = getattr(event, "anchor", None) or isinstance(event, yaml.AliasEvent)
            if anchored or getattr(event, "tag", None):
                raise _malformed(
                    what, event.start_mark.line if event.start_mark else 0, "anchors, aliases and tags are not allowed"
                )
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError as err:
        raise FormatError(f"{what}: not UTF-8 text") from err
    except yaml.MarkedYAMLError as err:
        line = err.problem_mark.line if err.problem_mark else 0
        raise _malformed(what, line, err.problem or "not YAML") from err
    except (yaml.YAMLError, RecursionError) as err:
        raise FormatError(f"{what}: not YAML") from err
    if node is None:
        raise FormatError(f"{what}: is empty")
    return _item(node, what)


def _malformed(what: str, line: int, message: str) -> FormatError:
    return FormatError(f"{what}, line {line + 1}: {message}")


def _item(node: yaml.Node, what: str) -> Item:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return Item(dict(_pairs(node, what)), line, what)
    if isinstance(node, yaml.SequenceNode):
        return Item([_item(each, what) for each in node.value], line, what)
    return Item(_scalar(node), line, what)


def _pairs(node: yaml.MappingNode, what: str) -> Iterator[tuple[str, Item]]:
    seen = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _malformed(what, key.start_mark.line, "a name must be a single word")
        if key.value in seen:
            raise _malformed(what, key.start_mark.line, f"{key.value!r} stands here twice")
        seen.add(key.value)
        yield key.value, _item(value, what)


def _scalar(node: yaml.Node) -> Scalar:
    text: str = node.value
    if getattr(node, "style", None):  # quoted, or a block of text
        return text
    if text in ("", "null", "~"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _NUMBER.match(text) and isfinite(float(text)) else text
