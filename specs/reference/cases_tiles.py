"""Cases for the tiles of specs/registry.md (reg-tile-1, reg-tile-3)."""

import hashlib

import tiles
from encoding import sha256
from vectors import Group, accumulated

NOTES = {
    "Length": ("FORGERY", "bytes that nobody hashes, or a tile that says less than its name"),
    "Count": ("FORGERY", "entries are missing or too many"),
    "CutOff": ("FORGERY", "half an entry passes for one"),
}


def tile_paths():
    g = Group("tile-path", 'where a tile stands; level "entries" is a bundle; width 256 is a full one')

    def add(level, n, width=256):
        path = tiles.path(level, n, width)
        g.add(path, lambda: {"path": path}, level=level, n=n, width=width)

    add(0, 1_234_067)
    if g.tests[0]["steps"]["path"] != "tile/0/x001/x234/067":
        raise AssertionError("not the example of tlog-tiles")
    for n in (0, 1, 255, 256, 999, 1000, 1001, 999_999, 1_000_000, 2**31, 2**53 - 1):
        add(0, n)
        add("entries", n)
    add(0, 273, 112)
    add(1, 1, 17)
    add(2, 0, 1)
    add("entries", 273, 112)
    add(0, 1000, 255)
    add(7, 0, 127)
    add(63, 0)
    return g


def statement_paths():
    g = Group("statement-path", "where the payload of that SHA-256 stands")
    for digest in (bytes(32), sha256(b"a statement")):
        g.add(digest.hex()[:8], lambda d=digest: {"path": tiles.statement_path(d)}, sha256=digest.hex())
    return g


def sizes():
    """70,000 is the example of tlog-tiles."""
    g = Group(
        "tiles-of-size",
        "the tiles of a tree: for each level full ones and the width of the partial one (0 if there is none); `paths`: "
        "how many there are, with the bundles, and the SHA-256 of all of them, sorted, one a line (of small trees)",
    )
    if tiles.levels(70_000) != [(273, 112), (1, 17), (0, 1)]:
        raise AssertionError("not the example of tlog-tiles")
    for size in (0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 70_000, 256**3, 256**3 + 257, 2**53 - 1):
        steps = {"levels": [list(pair) for pair in tiles.levels(size)]}
        if size < 100_000:
            found = tiles.paths(size)
            text = "".join(path + "\n" for path in sorted(found))
            steps["paths"] = {"count": len(found), "sha256": sha256(text.encode()).hex()}
        g.add(f"{size:,}", lambda steps=steps: steps, size=size)
    return g


def tile_bytes():
    g = Group("tile", "the hashes of a tile of that width, under `tile`, in hexadecimal")
    two = sha256(b"0") + sha256(b"1")

    def add(comment, data, width, *flags):
        def run():
            return {"hashes": [h.hex() for h in tiles.parse_tile(data, width)]}

        g.add(comment, run, "FormatError" if flags else "ok", flags, tile=data.hex(), width=width)

    add("two hashes", two, 2)
    add("one hash", two[:32], 1)
    add("a byte less", two[:-1], 2, "Length")
    add("a byte more", two + b"\x00", 2, "Length")
    add("a hash less", two[:32], 2, "Length")
    add("a hash more", two, 1, "Length")
    add("nothing", b"", 1, "Length")
    add("a partial one in the full one's place", two, 256, "Length")
    return g


def bundles():
    g = Group("bundle", "the entries of a bundle of that width, under `bundle`, in hexadecimal")

    def add(comment, data, width, *flags):
        def run():
            return {"entries": [entry.hex() for entry in tiles.parse_bundle(data, width)]}

        g.add(comment, run, "FormatError" if flags else "ok", flags, bundle=data.hex(), width=width)

    good = tiles.bundle([b"one", b"three"])
    add("two entries", good, 2)
    add("an entry of no byte", tiles.bundle([b"", b"x"]), 2)
    add("an entry of 256 bytes", tiles.bundle([bytes(256)]), 1)
    add("an entry less", tiles.bundle([b"one"]), 2, "Count")
    add("an entry more", tiles.bundle([b"one", b"three", b""]), 2, "Count")
    add("nothing", b"", 1, "Count")
    add("a partial one in the full one's place", good, 256, "Count")
    add("cut off in an entry", good[:-1], 2, "CutOff")
    add("cut off behind a length", good[:7], 2, "CutOff")
    add("cut off in a length", good[:6], 2, "CutOff")
    add("a byte behind the end", good + b"\x00", 2, "CutOff")
    add("a length of 65,535 and no such entry", b"\xff\xff" + good, 3, "CutOff")
    add("lengths little-endian", b"\x03\x00one\x05\x00three", 2, "CutOff")
    add("lengths of four bytes", b"\x00\x00\x00\x03one", 1, "Count")
    return g


def every_file():
    comment = (
        "a log whose entry i is `entry i`: for each of these sizes the SHA-256 of each file of its tree in the order "
        "of their paths, as lines: hexadecimal digest, space, path"
    )
    digest = hashlib.sha256()
    chosen = (1, 2, 255, 256, 257, 300, 512, 600)
    for size in chosen:
        files = tiles.files([b"entry %d" % n for n in range(size)])
        for path in sorted(files):
            digest.update(f"{sha256(files[path]).hex()} {path}\n".encode())
    return accumulated("files-accumulated", comment, digest, sizes=list(chosen))


def groups():
    return [tile_paths(), statement_paths(), sizes(), tile_bytes(), bundles(), every_file()]
