"""Paths, contents and sets of tiles, against the words of tlog-tiles and a naive tree."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_samples import naive_root
from published import naive_path

from wmproto.crypto.frontier import Frontier
from wmproto.crypto.merkle import tree_root
from wmproto.errors import FormatError, InclusionError
from wmproto.registry.tiles import (
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

SIZES = (0, 1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_536 + 300)
LEAVES = [sha256(b"leaf %d" % n).digest() for n in range(max(SIZES))]
LEVELS = [LEAVES]
while LEVELS[-1]:
    LEVELS.append([tree_root(LEVELS[-1][n : n + 256]) for n in range(0, len(LEVELS[-1]) // 256 * 256, 256)])


def of(tile):
    """The hashes of a tile of the tree over LEAVES; tiles never change as it grows."""
    return LEVELS[tile.level][tile.start : tile.end]


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 999), "tile/0/999"),
        (Tile(0, 1000), "tile/0/x001/000"),
        (Tile(1, 1_234_067), "tile/1/x001/x234/067"),  # the example of the specification
        (Tile(None, 1_234_067, 7), "tile/entries/x001/x234/067.p/7"),
        (Tile(63, 5, 255), "tile/63/005.p/255"),
    ],
)
def test_paths(tile, path):
    assert tile.path == path
    assert is_path(path)


@given(st.integers(0, 2**55 - 1), st.one_of(st.none(), st.integers(0, 63)), st.integers(1, 256))
def test_every_tile_has_one_path(index, level, width):
    path = Tile(level, index, width).path
    assert path == naive_path("entries" if level is None else level, index, width)
    assert is_path(path)


@pytest.mark.parametrize(
    "path",
    ["", "/checkpoint", "checkpoint/", "checkpoint\n", "Checkpoint", ".lock", "tile/0/0", "tile/0/0000", "tile/00/000", "tile/64/000",
     "tile/-1/000", "tile/0/x000", "tile/0/000/000", "tile/0/x1/000", "tile/0/000.p/0", "tile/0/000.p/256",
     "tile/0/000.p/01", "tile/0/000.p/1/", "tile/0/../../x", "tile/0/٠٠٠", "tile/entries/000.p/1\n", "tile//000",
     "statement/ab/" + "cd" * 32, "statement/ab/AB" + "cd" * 31, "statement/ab/ab", "statement/../" + "ab" * 32,
     "statement/ab/ab" + "cd" * 31 + "/x", "%2e%2e/x"],
)  # fmt: skip
def test_no_other_path_is_one(path):
    assert not is_path(path)


def test_the_path_of_a_statement():
    assert statement_path(b"\xab" * 32) == "statement/ab/" + "ab" * 32
    assert is_path(statement_path(b"\xab" * 32))


def test_the_tiles_of_the_specifications_example():
    """70,000: 273 full and one of 112; one full and one of 17; one of 1."""
    found = list(tiles(70_000))
    assert [(t.level, t.index) for t in found if t.width == 256] == [(0, n) for n in range(273)] + [(1, 0)]
    assert [(t.level, t.index, t.width) for t in found if t.width < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert [t.path for t in tiles(256)] == ["tile/0/000", "tile/1/000.p/1"]
    assert [t.path for t in bundles(300)] == ["tile/entries/000", "tile/entries/001.p/44"]


@pytest.mark.parametrize("size", SIZES)
def test_partial_tiles_have_the_width_that_the_size_gives(size):
    for level in range(4):
        width = size // 256**level % 256
        partial = [t for t in tiles(size) if t.level == level and t.width < 256]
        assert [t.width for t in partial] == ([width] if width else [])
        assert partial == [t for t in right_edge(size) if t.level == level]


@given(st.integers(0, 140_000), st.integers(0, 140_000))
def test_new_tiles_are_those_that_were_not_there(a, b):
    old, size = sorted((a, b))
    for kind in (tiles, bundles):
        assert set(kind(size, old)) == set(kind(size)) - set(kind(old))
        assert len(list(kind(size))) == len(set(kind(size)))
    assert not list(bundles(size, size))


@pytest.mark.parametrize("size", SIZES)
def test_the_right_edge_gives_the_root(size):
    assert edge_root(map(of, right_edge(size))) == tree_root(LEAVES[:size])
    if size < 1000:
        assert tree_root(LEAVES[:size]) == naive_root(LEAVES[:size])


@pytest.mark.parametrize(("old", "size"), [(0, 0), (0, 257), (255, 256), (300, 65_836), (65_535, 65_537)])
def test_new_tiles_lead_up_to_the_root_and_a_changed_one_does_not(old, size):
    root = tree_root(LEAVES[:size])
    read = []
    led = dict(lead_up(size, old, root, lambda tile: read.append(tile) or of(tile)))
    assert len(read) == len(set(read)), "a server cannot show two contents of one tile"
    assert led == {tile: of(tile) for tile in tiles(size, old)}
    asked = set(led) | set(right_edge(size))
    for victim in sorted(asked, key=lambda t: (t.level, t.index))[:: max(1, len(asked) // 12)]:
        for at in {0, victim.width - 1}:

            def changed(tile, victim=victim, at=at):
                hashes = list(of(tile))
                if tile == victim:
                    hashes[at] = bytes(32)
                return hashes

            with pytest.raises(InclusionError) as err:
                list(lead_up(size, old, root, changed))
            assert err.value.rule == "reg-tile-3"
            shown = []
            with pytest.raises(InclusionError):
                shown.extend(t for t, _ in lead_up(size, old, root, changed))
            assert victim not in shown


def test_a_tile_has_exactly_its_hashes():
    data = join_hashes(LEAVES[:7])
    assert parse_tile(data, 7) == LEAVES[:7]
    for wrong, width in ((data, 6), (data, 8), (data + b"x", 7), (data[:-1], 7), (b"", 1)):
        with pytest.raises(FormatError):
            parse_tile(wrong, width)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=9))
def test_a_bundle_has_exactly_its_entries(entries):
    data = join_entries(entries)
    assert parse_bundle(data, len(entries)) == entries
    for wrong, width in ((data, len(entries) + 1), (data + b"\0", len(entries)), (data[:-1], len(entries))):
        with pytest.raises(FormatError):
            parse_bundle(wrong, width)
    with pytest.raises(FormatError):
        parse_bundle(data, len(entries) - 1)


def test_the_largest_entry_fits_a_bundle():
    assert parse_bundle(join_entries([bytes(65_535)]), 1) == [bytes(65_535)]
    assert len(join_entries([bytes(65_535)])) == Tile(None, 0, 1).limit


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 300])
def test_a_frontier_is_the_tree(size):
    frontier, nodes = Frontier(), {}
    twin = frontier.copy()
    for n, leaf in enumerate(LEAVES[:size]):
        assert frontier.root() == naive_root(LEAVES[:n])
        for level, node in enumerate(frontier.push(leaf)):
            nodes[level, n >> level] = node
    assert (frontier.size, frontier.root()) == (size, naive_root(LEAVES[:size]))
    assert twin.size == 0
    for (level, index), node in nodes.items():
        assert node == naive_root(LEAVES[index << level : (index + 1) << level])
    assert len(nodes) == sum(size >> level for level in range(10))
