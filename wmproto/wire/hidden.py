"""Secrets that no repr shows: what a traceback with variables, a log or a careless print says of them is their length.

Only the whole value is hidden. A slice, ``hex()`` and what is computed from it are plain bytes and text again; and
whoever reads this process's memory has the secret itself.
"""

from __future__ import annotations

__all__ = ["Hidden", "HiddenText"]


class Hidden(bytes):
    """Bytes as any other, but for repr, str and format."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} secret bytes>"

    __str__ = __repr__


class HiddenText(str):
    """Text as any other, but for its repr: that alone is what a traceback shows."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret text>"
