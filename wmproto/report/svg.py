"""Elements of a drawing: the one place where markup is made, and everything that goes into it is escaped."""

from __future__ import annotations

from markupsafe import Markup


def signed(value: int | str) -> str:
    """A number with a true minus sign, for people."""
    return str(value).replace("-", "\N{MINUS SIGN}")


def element(name: str, *children: str, **attributes: str | float) -> Markup:
    """Make an element.

    Args:
        name: Its tag.
        *children: Text, which is escaped, or elements.
        **attributes: ``class_`` stands for class, ``_`` within a name for a hyphen; a float gets one decimal.
    """
    given = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), f"{v:.1f}" if isinstance(v, float) else v)
        for key, v in attributes.items()
    )
    return Markup("<{0}{1}>{2}</{0}>").format(name, given, Markup("").join(children))
