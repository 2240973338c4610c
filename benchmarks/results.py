"""Where figures are written: small JSON files with what they were measured on, never retouched."""

import json
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
import torch

FOLDER = Path(__file__).parent / "results"


def header() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "machine": {"cores": os.cpu_count(), "device": "cpu", "processor": platform.machine()},
        "versions": {"numpy": np.__version__, "python": platform.python_version(), "torch": torch.__version__},
    }


def write(name: str, result: dict[str, Any]) -> Path:
    """Replace results/NAME.json at once; floats keep four digits."""
    FOLDER.mkdir(exist_ok=True)
    path, draft = FOLDER / f"{name}.json", FOLDER / f"{name}.tmp"
    draft.write_text(json.dumps(_rounded(result), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(path)
    return path


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return value
