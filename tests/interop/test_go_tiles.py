"""Published tiles, read and proved by Go's sumdb/tlog as it reads those of the Go checksum database."""

import shutil
from base64 import b64decode, b64encode

import pytest
from debian import needs

from wmproto.registry.checkpoint import verify_checkpoint
from wmproto.registry.tiles import Tile

pytestmark = needs("golang-go", "golang-golang-x-mod-dev")


def reads(folder, checkpoint):
    root = b64encode(checkpoint.root).decode()
    return {"op": "tiles", "folder": str(folder), "size": checkpoint.size, "root": root}


@pytest.fixture(scope="module")
def heads(log, published):
    return {
        size: verify_checkpoint((folder / "checkpoint").read_bytes(), log.key) for size, folder in published.items()
    }


def test_go_reads_every_leaf_of_what_was_published(go, leaves, published, heads):
    assert [head.size for head in heads.values()] == list(published) == [0, 1, 130, 256, 257, 520]
    sizes = [size for size in published if size]
    for size, answer in zip(sizes, go([reads(published[size], heads[size]) for size in sizes]), strict=True):
        assert answer["error"] == ""
        assert [b64decode(leaf) for leaf in answer["leaves"]] == leaves[:size]


def test_go_sees_each_tile_that_was_changed(go, published, heads, tmp_path):
    """So every tile matters, and the comparison above can fail."""
    folder = tmp_path / "log"
    shutil.copytree(published[520], folder)
    tiles = [folder / tile for tile in ("tile/0/000", "tile/0/001", "tile/0/002.p/8", "tile/1/000.p/2")]
    for tile in tiles:
        data = tile.read_bytes()
        tile.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        assert go([reads(folder, heads[520])])[0]["error"] == "downloaded inconsistent tile"
        tile.write_bytes(data)
    assert go([reads(folder, heads[520])])[0]["error"] == ""


def test_paths_are_gos_but_for_the_height(go):
    """Go's own layout is tile/8/L/N, with data for what tlog-tiles calls entries."""
    numbers = (0, 1, 9, 10, 255, 256, 999, 1000, 1001, 67_000, 999_999, 1_000_000, 1_234_067, 10**15, (1 << 55) - 1)
    cases = [(level, at, width) for level in (None, 0, 1, 7, 10, 63) for at in numbers for width in (1, 9, 255, 256)]
    questions = [
        {"op": "path", "level": -1 if level is None else level, "index": at, "width": width}
        for level, at, width in cases
    ]
    for case, answer in zip(cases, go(questions), strict=True):
        assert answer["path"].startswith("tile/8/")
        assert Tile(*case).path == answer["path"].replace("tile/8/", "tile/").replace("/data/", "/entries/")
