"""The reader of data sets that a folder of data brings with it."""

import importlib.util
from pathlib import Path
from types import ModuleType


def reader(folder: Path) -> ModuleType | None:
    """The module ``load.py`` of a folder, whose ``load(name)`` gives arrays by name; None where there is none."""
    if not (folder / "load.py").exists():
        return None
    spec = importlib.util.spec_from_file_location("load", folder / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
