"""A town without trained models, made by the commands themselves; the town of tests/cli, and no second one."""

import shutil
import sys
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)  # as mark train does: a process that is forked has no other threads
sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))

from small_disk import SmallDisk  # noqa: E402
from town import Town, pictures  # noqa: E402


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """``mykey`` is registered and activated, ``fresh`` committed; the only model has learnt nothing. Not to change."""
    town = Town(tmp_path_factory.mktemp("durability"))
    town.people()
    town.key("mykey", "--shape", "12x12x1")
    town.register("mykey")
    town.activate("mykey")
    town.trust()
    town.key("fresh", "--shape", "4x4x1", count=16)
    x, _ = pictures(16, seed=5)
    from wmproto.triggers.folder import Pictures

    (town.home / "own.npz").write_bytes(Pictures((12, 12, 1), tuple(one.tobytes() for one in x)).to_npz())
    return town


@pytest.fixture
def home(built, tmp_path):
    """A copy of the town's folder that a test may change."""
    return Path(shutil.copytree(built.home, tmp_path / "home"))


@pytest.fixture
def disk(built, tmp_path):
    """A copy on a disk of its own that can be filled up, or mounted read-only."""
    disk = SmallDisk.mounted(tmp_path / "disk")
    try:
        shutil.copytree(built.home, disk.home)
        yield disk
    finally:
        disk.unmount()
