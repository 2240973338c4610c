"""The log as files (specs/registry.md; c2sp.org/tlog-tiles)."""

import merkle
from encoding import need

WIDTH = 256


def index_path(n):
    """1234067 is x001/x234/067."""
    out = f"{n % 1000:03}"
    while n >= 1000:
        n //= 1000
        out = f"x{n % 1000:03}/" + out
    return out


def path(level, n, width=WIDTH):
    """``level``: 0 to 63, or "entries"."""
    return f"tile/{level}/{index_path(n)}" + (f".p/{width}" if width < WIDTH else "")


def statement_path(digest):
    name = digest.hex()
    return f"statement/{name[:2]}/{name}"


def levels(size):
    """For each level that has tiles: (full tiles, hashes of the partial one or 0)."""
    out = []
    while size:
        out.append((size // WIDTH, size % WIDTH))
        size //= WIDTH
    return out


def paths(size):
    """All hash tiles of a tree, level by level, then all its bundles."""
    out = []
    for level, (full, rest) in [*enumerate(levels(size)), *[("entries", pair) for pair in levels(size)[:1]]]:
        out += [path(level, n) for n in range(full)]
        out += [path(level, full, rest)] if rest else []
    return out


def tile(level, n, width, leaves):
    """The hash of each run of 256**level leaves."""
    run = WIDTH**level
    starts = [(n * WIDTH + i) * run for i in range(width)]
    return b"".join(merkle.root(leaves[start : start + run]) for start in starts)


def parse_tile(data, width):
    need(len(data) == 32 * width, "FormatError", why="not 32 bytes a hash")
    return [data[i : i + 32] for i in range(0, len(data), 32)]


def bundle(entries):
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_bundle(data, count):
    entries = []
    while data:
        need(len(data) >= 2, "FormatError", why="half a length")
        size = int.from_bytes(data[:2], "big")
        need(len(data) >= 2 + size, "FormatError", why="an entry is cut off")
        entries.append(data[2 : 2 + size])
        data = data[2 + size :]
    need(len(entries) == count, "FormatError", why="not as many entries as the bundle's width")
    return entries


def files(entries):
    """{path: bytes} of a log with these entries: all but checkpoint and statements."""
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    out = {}
    for level, (full, rest) in enumerate(levels(len(leaves))):
        for n, width in [*((n, WIDTH) for n in range(full)), *([(full, rest)] if rest else [])]:
            out[path(level, n, width)] = tile(level, n, width, leaves)
            if level == 0:
                out[path("entries", n, width)] = bundle(entries[n * WIDTH : n * WIDTH + width])
    return out
