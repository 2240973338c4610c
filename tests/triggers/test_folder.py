"""The owner's own pictures: the bytes that go in come out, or the folder is refused (trig-folder-1 to 8)."""

import contextlib
import io
import random
import struct
import sys
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from wmproto.errors import ConfigError, FormatError, MissingExtraError, NotFoundError, WmprotoError
from wmproto.triggers import Pictures, load_folder


def pixels(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(x, *, depth=8, colour=None, extra=b"", height=None, width=None):
    """A PNG written by hand, so that these tests do not read back what Pillow itself wrote."""
    channels = x.shape[2]
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels] if colour is None else colour
    rows = b"".join(b"\x00" + row.tobytes() for row in x)
    header = struct.pack(">IIBBBBB", width or x.shape[1], height or x.shape[0], depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.fixture
def folder(tmp_path):
    """Three pictures of 4x5x3, names in byte order."""
    (tmp_path / "own").mkdir()
    for i, name in enumerate(("B.png", "a.png", "a10.png")):
        (tmp_path / "own" / name).write_bytes(png(pixels((4, 5, 3), i)))
    return tmp_path / "own"


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_stored_samples_come_out_as_they_are(tmp_path, channels):
    x = pixels((4, 5, channels))
    (tmp_path / "one.png").write_bytes(png(x))
    found = load_folder(tmp_path)
    assert found.shape == (4, 5, channels)
    assert found.input(0) == x.tobytes()


def test_what_pillow_writes_is_read_too(tmp_path):
    for i, (mode, channels) in enumerate((("L", 1), ("RGB", 3), ("RGBA", 4), ("LA", 2))):
        x = pixels((6, 3, channels), i)
        (tmp_path / mode).mkdir()
        Image.frombytes(mode, (3, 6), x.tobytes()).save(tmp_path / mode / "x.png")
        assert load_folder(str(tmp_path / mode)).raw == (x.tobytes(),)


def test_order_is_that_of_the_bytes_of_the_names(folder):
    (folder / ".DS_Store").write_bytes(b"not a picture, and not looked at")
    found = load_folder(folder, (4, 5, 3))
    assert len(found) == 3
    assert [found.input(i) for i in range(3)] == [pixels((4, 5, 3), i).tobytes() for i in range(3)]


def test_only_indices_that_exist(folder):
    found = load_folder(folder)
    for i in (-1, 3):
        with pytest.raises(IndexError):
            found.input(i)


def test_the_repr_shows_no_picture(folder):
    assert repr(load_folder(folder)) == str(load_folder(folder)) == "Pictures(3 of 4x5x3)"


def test_npz_and_folder_agree(folder, tmp_path):
    found = load_folder(folder)
    (tmp_path / "p.npz").write_bytes(found.to_npz())
    assert load_folder(tmp_path / "p.npz", (4, 5, 3)) == found
    assert load_folder(tmp_path / "p.npz").to_npz() == found.to_npz()


def test_npz_in_fortran_order(tmp_path):
    x = pixels((3, 4, 5, 2))
    np.savez_compressed(tmp_path / "p.npz", x=np.asfortranarray(x))
    assert load_folder(tmp_path / "p.npz").raw == tuple(one.tobytes() for one in x)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (3, 2), (8, 8), (13, 11)])
@pytest.mark.parametrize("channels", [1, 3])
def test_interlaced(tmp_path, height, width, channels):
    x = pixels((height, width, channels))
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    parts = [x[top::down, left::across] for left, top, across, down in passes]
    rows = b"".join(b"\x00" + row.tobytes() for part in parts if part.size for row in part)
    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 1)
    for data, good in ((rows, True), (rows[:-1], False), (rows + b"\x00", False)):
        body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
        (tmp_path / "one.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
        if good:
            assert load_folder(tmp_path).input(0) == x.tobytes()
        else:
            with pytest.raises(FormatError, match="damaged"):
                load_folder(tmp_path)


def test_filters_and_many_data_chunks(tmp_path):
    x = pixels((40, 40, 3)) // 64
    smooth = np.cumsum(x, axis=1, dtype=np.uint8)
    out = io.BytesIO()
    Image.frombytes("RGB", (40, 40), smooth.tobytes()).save(out, "PNG", optimize=True)
    (tmp_path / "one.png").write_bytes(out.getvalue())
    assert load_folder(tmp_path).input(0) == smooth.tobytes()
    rows = zlib.compress(b"".join(b"\x00" + row.tobytes() for row in smooth))
    many = b"".join(chunk(b"IDAT", rows[i : i + 7]) for i in range(0, len(rows), 7))
    good = png(smooth)
    at = good.index(b"IDAT") - 4
    (tmp_path / "one.png").write_bytes(good[:at] + many + chunk(b"IEND", b""))
    assert load_folder(tmp_path).input(0) == smooth.tobytes()
    for bad in (good + b"x", good[:-12], good[:at] + many, good[:33] + good[at:] + good[33:at] + chunk(b"IEND", b"")):
        (tmp_path / "one.png").write_bytes(bad)
        with pytest.raises(FormatError, match="damaged"):
            load_folder(tmp_path)


def refused(call, kind, match):
    with pytest.raises(kind, match=match) as err:
        call()
    assert str(err.value).isprintable()
    return err.value


def test_wrong_shapes(folder, tmp_path):
    hint = refused(lambda: load_folder(folder, (5, 4, 3)), ConfigError, r"'B.png' is 4x5x3, not 5x4x3").hint
    assert "one shape" in hint
    refused(lambda: load_folder(folder, (4, 5, 1)), ConfigError, "not 4x5x1")
    (folder / "a2.png").write_bytes(png(pixels((4, 6, 3))))
    refused(lambda: load_folder(folder), ConfigError, r"'a2.png' is 4x6x3, not 4x5x3")
    (folder / "a2.png").write_bytes(png(pixels((4, 5, 1))))
    refused(lambda: load_folder(folder), ConfigError, r"'a2.png' is 4x5x1, not 4x5x3")
    (tmp_path / "p.npz").write_bytes(Pictures((1, 1, 1), (b"x",)).to_npz())
    refused(lambda: load_folder(tmp_path / "p.npz", (1, 1, 3)), ConfigError, "1x1x1, not 1x1x3")


def test_a_picture_twice_is_refused_and_both_are_named(folder, tmp_path):
    (folder / "z.png").write_bytes(png(pixels((4, 5, 3), 1), extra=chunk(b"tEXt", b"a\x00other bytes, same picture")))
    refused(lambda: load_folder(folder), ConfigError, r"'a.png' and 'z.png'")
    x = pixels((4, 2, 2, 1))
    x[3] = x[1]
    np.savez(tmp_path / "p.npz", x=x)
    refused(lambda: load_folder(tmp_path / "p.npz"), ConfigError, r"'x\[1\]' and 'x\[3\]'")


def jpeg():
    out = io.BytesIO()
    Image.frombytes("RGB", (5, 4), pixels((4, 5, 3)).tobytes()).save(out, "JPEG")
    return out.getvalue()


def animated():
    out = io.BytesIO()
    one, two = (Image.frombytes("RGB", (5, 4), pixels((4, 5, 3), i).tobytes()) for i in range(2))
    one.save(out, "PNG", save_all=True, append_images=[two])
    return out.getvalue()


LOSSY = {
    "16 bits a channel": (png(pixels((4, 5, 6)), depth=16, colour=2), "8 bits"),
    "16 bits of grey": (png(pixels((4, 5, 2)), depth=16, colour=0), "8 bits"),
    "1 bit": (png(pixels((4, 1, 1)), depth=1, colour=0), "8 bits"),
    "palette": (png(pixels((4, 5, 1)), colour=3, extra=chunk(b"PLTE", bytes(768))), "palette"),
    "transparent colour": (png(pixels((4, 5, 3)), extra=chunk(b"tRNS", bytes(6))), "transparent"),
    "transparent grey": (png(pixels((4, 5, 1)), extra=chunk(b"tRNS", bytes(2))), "transparent"),
    "animated": (animated(), "animated"),
    "JPEG": (jpeg(), "not a PNG"),
    "text": (b"labels: 1, 2, 3\n" * 9, "not a PNG"),
    "nothing": (b"", "not a PNG"),
    "PNG of no pixels": (png(np.zeros((0, 0, 3), np.uint8)), "0x0x3"),
    "fewer rows than it says": (png(pixels((4, 5, 3)), height=9), "damaged"),
    "more rows than it says": (png(pixels((4, 5, 3)), height=3), "damaged"),
}


@pytest.mark.parametrize("name", LOSSY)
def test_what_could_only_be_read_with_loss_is_refused(tmp_path, name):
    data, match = LOSSY[name]
    (tmp_path / "a2.png").write_bytes(data)
    assert "a2.png" in str(refused(lambda: load_folder(tmp_path), FormatError, match))


def test_every_damaged_byte_is_noticed(tmp_path):
    x = pixels((4, 5, 3))
    good, rng = png(x), random.Random(1)
    (tmp_path / "one.png").write_bytes(good)
    assert load_folder(tmp_path).input(0) == x.tobytes()
    survived = 0
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 1 << rng.randrange(8)
        (tmp_path / "one.png").write_bytes(bad)
        try:
            survived += load_folder(tmp_path).input(0) == x.tobytes()
        except WmprotoError:
            continue
        assert load_folder(tmp_path).input(0) == x.tobytes(), at
    assert survived <= 6  # bytes that no checksum covers and that hold no sample, such as a level of compression
    for size in range(len(good)):
        (tmp_path / "one.png").write_bytes(good[:size])
        with pytest.raises(FormatError):
            load_folder(tmp_path)


def test_random_files_are_refused_in_one_way(tmp_path):
    rng = random.Random(2)
    good = png(pixels((4, 5, 3)), extra=chunk(b"tEXt", b"a\x00b"))
    for _ in range(150):
        bad = bytearray(good)
        for _ in range(rng.randrange(1, 20)):
            at = rng.randrange(8, len(bad))
            bad[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
        (tmp_path / "one.png").write_bytes(bad)
        with contextlib.suppress(WmprotoError):
            load_folder(tmp_path)


def test_a_picture_that_says_it_is_huge_is_refused_before_it_is_unpacked(tmp_path):
    (tmp_path / "one.png").write_bytes(png(pixels((4, 5, 3)), height=2**31 - 1, width=2**31 - 1))
    refused(lambda: load_folder(tmp_path), FormatError, "2147483647x2147483647x3")


def test_folders_that_are_none(tmp_path, folder):
    refused(lambda: load_folder(tmp_path / "missing"), NotFoundError, "no folder of pictures")
    refused(lambda: load_folder(tmp_path / "missing.npz"), NotFoundError, "no file of pictures")
    refused(lambda: load_folder(folder / "a.png"), ConfigError, "neither a folder nor an .npz")
    (tmp_path / "empty").mkdir()
    refused(lambda: load_folder(tmp_path / "empty", (4, 5, 3)), ConfigError, "no picture")
    (folder / "sub").mkdir()
    refused(lambda: load_folder(folder), ConfigError, "is a directory")


class Evil:
    def __reduce__(self):
        return print, ("unpickled",)


def test_npz_that_are_refused(tmp_path, capsys):
    x = pixels((3, 2, 2, 1))
    arrays = {
        "two arrays": ({"x": x, "y": np.arange(3)}, "'x' and nothing else; it holds 'x', 'y'"),
        "another name": ({"images": x}, "it holds 'images'"),
        "none": ({}, "not an .npz"),
        "floats": ({"x": x / 255}, "uint8"),
        "signed": ({"x": x.astype(np.int8)}, "uint8"),
        "three dimensions": ({"x": x[..., 0]}, "four dimensions"),
        "no pictures": ({"x": x[:0]}, "no picture"),
        "no pixels": ({"x": x[:, :0]}, "0x2x1"),
        "pickled": ({"x": np.array([[[[Evil()]]]], dtype=object)}, "damaged"),
    }
    for held, match in arrays.values():
        np.savez(tmp_path / "p.npz", **held)
        refused(lambda m=match: load_folder(tmp_path / "p.npz"), WmprotoError, match)
    np.save(tmp_path / "p.npy", x)
    (tmp_path / "p.npy").rename(tmp_path / "p.npz")
    refused(lambda: load_folder(tmp_path / "p.npz"), FormatError, "not an .npz")
    with zipfile.ZipFile(tmp_path / "p.npz", "w") as archive:
        archive.writestr("x", "no array")
    refused(lambda: load_folder(tmp_path / "p.npz"), FormatError, "uint8")
    header = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr':'|u1','fortran_order':False,'shape':(4611686018427387904,1,1,1)}".ljust(118)
    )
    with zipfile.ZipFile(tmp_path / "p.npz", "w") as archive:
        archive.writestr("x.npy", header)
    refused(lambda: load_folder(tmp_path / "p.npz"), FormatError, "damaged")
    assert capsys.readouterr().out == ""


def test_damaged_npz(tmp_path):
    good, rng = Pictures((4, 5, 3), tuple(pixels((4, 5, 3), i).tobytes() for i in range(4))).to_npz(), random.Random(3)
    for _ in range(150):
        bad = bytearray(good)
        for _ in range(rng.randrange(1, 4)):
            bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        (tmp_path / "p.npz").write_bytes(bad if rng.randrange(3) else bad[: rng.randrange(len(bad))])
        with contextlib.suppress(WmprotoError):
            load_folder(tmp_path / "p.npz")


def test_without_pillow_a_folder_names_the_extra_and_an_npz_works(folder, tmp_path, monkeypatch):
    (tmp_path / "p.npz").write_bytes(load_folder(folder).to_npz())
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert len(load_folder(tmp_path / "p.npz")) == 3
    with pytest.raises(MissingExtraError) as err:
        load_folder(folder)
    assert err.value.hint == "pip install 'wmproto[images]'"
