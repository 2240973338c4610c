"""What Adi, Baum, Cisse, Pinkas and Keshet (USENIX Security 2018) print, as far as it could be read.

Table 1 was read from an image of the table. Figure 6 was measured from the bars: trigger accuracies are very likely
exact (100 triggers), test accuracies within half a point. Values are per cent.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wmproto.games.pooling import settings
from wmproto.games.record import Named

__all__ = ["CONDITIONS", "FIGURE_6", "NAMES", "TABLE_1", "likeness", "variant", "with_k"]

#: The paper's names of schemes.
NAMES: Final = {"adi-from-scratch": "FROMSCRATCH", "adi-pretrained": "PRETRAINED"}
#: Attack (None: none) and the paper's name.
CONDITIONS: Final[tuple[tuple[str, str], ...]] = (
    ("no-op", "no FT"),
    ("ftll", "FTLL"),
    ("ftal", "FTAL"),
    ("rtll", "RTLL"),
    ("rtal", "RTAL"),
)

#: Data set, model: test and trigger accuracy.
TABLE_1: Final[dict[str, dict[str, tuple[float, float]]]] = {
    "CIFAR-10": {"NO-WM": (93.42, 7.0), "FROMSCRATCH": (93.81, 100.0), "PRETRAINED": (93.65, 100.0)},
    "CIFAR-100": {"NO-WM": (74.01, 1.0), "FROMSCRATCH": (73.67, 100.0), "PRETRAINED": (73.62, 100.0)},
}

#: Data set, scheme: test and trigger accuracy under each of CONDITIONS.
FIGURE_6: Final[dict[str, dict[str, tuple[tuple[float, float], ...]]]] = {
    "CIFAR-10": {
        "FROMSCRATCH": ((93.8, 100), (93.8, 100), (93.8, 100), (93.8, 100), (93.8, 100)),
        "PRETRAINED": ((93.8, 100), (93.8, 100), (93.8, 95), (93.8, 100), (93.8, 80)),
    },
    "CIFAR-100": {
        "FROMSCRATCH": ((73.7, 100), (73.7, 100), (73.2, 100), (73.2, 100), (73.2, 98)),
        "PRETRAINED": ((73.7, 100), (73.7, 99), (73.7, 24), (73.2, 98), (73.2, 6)),
    },
}


def likeness(profile: str, data: str) -> str | None:
    """The data set of the paper that cells of this data may be set beside; None for another profile or other data."""
    if profile != "adi2018":
        return None
    return next((name for name in ("CIFAR-100", "CIFAR-10") if data.startswith(name.replace("-", "").lower())), None)


def variant(scheme: str) -> str:
    """The paper's name of a scheme, or its own where the paper has none."""
    return NAMES.get(scheme, scheme)


def with_k(scheme: Named, names: Iterable[str] | None = None) -> str:
    """Settings as in ``settings``, but for rows, which the paper calls k."""
    return ", ".join(f"k={one[5:]}" if one.startswith("rows=") else one for one in settings(scheme, names).split(", "))
