"""specs/vectors/tiles.json through wmproto.registry.tiles: names, contents, and which of them a tree has."""

import hashlib
from collections import Counter

import pytest
from vectorfile import cases, check

from wmproto.crypto.merkle import leaf_hash, tree_root
from wmproto.registry.tiles import (
    WIDTH,
    Tile,
    bundles,
    edge_root,
    is_path,
    join_entries,
    join_hashes,
    lead_up,
    parse_bundle,
    parse_tile,
    right_edge,
    statement_path,
    tiles,
)

h = bytes.fromhex


def on_path(_, case):
    path = Tile(None if case["level"] == "entries" else case["level"], case["n"], case["width"]).path
    assert is_path(path)
    return {"path": path}


def on_statement_path(_, case):
    path = statement_path(h(case["sha256"]))
    assert is_path(path)
    return {"path": path}


def on_size(_, case):
    size = case["size"]
    partial = {tile.level: tile.width for tile in right_edge(size)}
    if "paths" not in case["steps"]:  # too many to list: the partial ones alone
        levels = case["steps"]["levels"]
        assert partial == {level: width for level, (_, width) in enumerate(levels) if width}
        assert [tile.index for tile in right_edge(size)] == [full for full, width in levels if width]
        return case["steps"]
    found = list(tiles(size))
    full = Counter(tile.level for tile in found if tile.width == WIDTH)
    assert {tile.level: tile.width for tile in found if tile.width < WIDTH} == partial
    paths = sorted(tile.path for tile in [*found, *bundles(size)])
    digest = hashlib.sha256("".join(path + "\n" for path in paths).encode()).hexdigest()
    levels = [[full[level], partial.get(level, 0)] for level in range(len({*full, *partial}))]
    return {"levels": levels, "paths": {"count": len(paths), "sha256": digest}}


def on_tile(_, case):
    hashes = parse_tile(h(case["tile"]), case["width"])
    assert join_hashes(hashes) == h(case["tile"])
    return {"hashes": [one.hex() for one in hashes]}


def on_bundle(_, case):
    entries = parse_bundle(h(case["bundle"]), case["width"])
    assert join_entries(entries) == h(case["bundle"])
    return {"entries": [entry.hex() for entry in entries]}


def files(entries):
    """{path: bytes}, each level out of the full tiles of the level below."""
    out = {tile.path: join_entries(entries[tile.start : tile.end]) for tile in bundles(len(entries))}
    hashes = {0: [leaf_hash(entry) for entry in entries]}
    leaves = hashes[0]
    for tile in tiles(len(entries)):
        level = tile.level or 0
        if level not in hashes:
            below = hashes[level - 1]
            hashes[level] = [tree_root(below[i : i + WIDTH]) for i in range(0, len(below) - WIDTH + 1, WIDTH)]
        out[tile.path] = join_hashes(hashes[level][tile.start : tile.end])
    read = {tile: parse_tile(out[tile.path], tile.width) for tile in tiles(len(entries))}
    assert edge_root(read[tile] for tile in right_edge(len(entries))) == tree_root(leaves)
    assert dict(lead_up(len(entries), 0, tree_root(leaves), read.__getitem__)) == read
    return out


def on_every_file(_, case):
    digest = hashlib.sha256()
    for size in case["sizes"]:
        made = files([b"entry %d" % n for n in range(size)])
        for path in sorted(made):
            digest.update(f"{hashlib.sha256(made[path]).hexdigest()} {path}\n".encode())
    return {"digest": digest.hexdigest()}


HANDLERS = {
    "tile-path": on_path,
    "statement-path": on_statement_path,
    "tiles-of-size": on_size,
    "tile": on_tile,
    "bundle": on_bundle,
    "files-accumulated": on_every_file,
}


@pytest.mark.parametrize(("handler", "group", "case"), cases("tiles", HANDLERS))
def test_tiles(handler, group, case):
    check(handler, group, case)
