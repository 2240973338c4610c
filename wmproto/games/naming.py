"""What to say when a name is unknown."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

__all__ = ["nearest"]


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint: the nearest known name, or all of them."""
    found = get_close_matches(name, known, 1)
    return f"did you mean {found[0]}?" if found else f"there are: {', '.join(known)}"
