"""The owner's own pictures, from a folder of PNG files or from an .npz (specs/triggers.md).

The same bytes must come out years later, when a leaf is opened. So nothing is scaled, converted or guessed here, and
formats whose decoders differ between versions (JPEG) are refused. Whether there are as many pictures as leaves, and
whether one is small enough, is checked by whoever commits to them.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path

from wmproto.errors import ConfigError, FormatError, MissingExtraError
from wmproto.wire.files import read_file

__all__ = ["Pictures", "load_folder"]

Shape = tuple[int, int, int]

_PICTURE_LIMIT = 16 << 20  # bytes of one picture, and of its file
_TOTAL_LIMIT = 1 << 30  # bytes of all pictures, and of an .npz
_PNG = b"\x89PNG\r\n\x1a\n"
#: The passes of an interlaced PNG: first column, first row, step across, step down (PNG, third edition, section 8).
_ADAM7 = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
)  # fmt: skip
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # PNG colour type (grey, RGB, grey + alpha, RGBA) -> channels
_CONVERT = "convert it to a PNG of 8 bits a channel, grey or RGB, and keep that: what it holds is committed to"


@dataclass(frozen=True, slots=True, repr=False)
class Pictures:
    """Pictures of one shape, in order. The repr shows none of them: they are secret until they are opened.

    Attributes:
        shape: (H, W, C) of each.
        raw: H*W*C bytes each: uint8 in C order.
    """

    shape: Shape
    raw: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"Pictures({len(self.raw)} of {_by(self.shape)})"

    def __len__(self) -> int:
        return len(self.raw)

    def input(self, i: int) -> bytes:
        """Raw bytes of picture ``i``; raises IndexError outside 0 <= i < len."""
        if not 0 <= i < len(self.raw):
            raise IndexError(f"picture {i} of {len(self.raw)}")
        return self.raw[i]

    def to_npz(self) -> bytes:
        """The same pictures as the bytes of an .npz that load_folder reads; the same pictures give the same bytes."""
        import numpy as np

        out = io.BytesIO()
        np.savez(out, x=np.frombuffer(b"".join(self.raw), np.uint8).reshape(len(self.raw), *self.shape))
        return out.getvalue()


def load_folder(path: str | os.PathLike[str], shape: Shape | None = None) -> Pictures:
    """Load the owner's own pictures.

    Args:
        path: A folder of PNG files, taken in byte order of their names (hidden files are left out), or an .npz with
            one array ``x``: (N, H, W, C) uint8.
        shape: (H, W, C) that each must have; None takes that of the first.

    Returns:
        At least one picture, all different, all of one shape.

    Raises:
        NotFoundError: There is nothing at the path.
        ConfigError: Wrong shape, shapes that differ, a picture twice, none at all, not a folder or .npz.
        FormatError: A file is not what it should be, or could only be read with loss.
        MissingExtraError: A folder needs the extra ``images``; an .npz does not.

    Source: specs/triggers.md, trig-folder-1 to 8.
    """
    where = Path(path)
    if where.is_dir():
        names, pictures = _from_folder(where, shape)
    elif where.suffix == ".npz":
        pictures = _from_npz(where, shape)
        names = [f"x[{i}]" for i in range(len(pictures))]
    else:
        read_file(where, what="folder of pictures", limit=_TOTAL_LIMIT)  # says so if there is nothing at all
        raise ConfigError(f"{str(where)!r} is neither a folder nor an .npz file", hint="give the folder itself")
    seen: dict[bytes, str] = {}
    for name, raw in zip(names, pictures.raw, strict=True):
        other = seen.setdefault(raw, name)
        if other is not name:
            raise ConfigError(
                f"the same picture twice: {other!r} and {name!r}",
                hint="one picture cannot learn two labels, and opening one leaf would show the other; remove one",
            )
    return pictures


def _from_folder(folder: Path, shape: Shape | None) -> tuple[list[str], Pictures]:
    try:
        names = sorted((file.name for file in folder.iterdir() if not file.name.startswith(".")), key=os.fsencode)
    except OSError as err:
        raise ConfigError(f"cannot list the folder {str(folder)!r}", hint="look at its permissions") from err
    raw: list[bytes] = []
    left = _TOTAL_LIMIT
    for name in names:
        shape, pixels = _read_png(folder / name, shape)
        left -= len(pixels)
        if left < 0:
            raise ConfigError(f"the pictures have more than {_TOTAL_LIMIT >> 20} MiB together")
        raw.append(pixels)
    if shape is None or not raw:
        raise ConfigError(f"there is no picture in {str(folder)!r}")
    return names, Pictures(shape, tuple(raw))


def _read_png(path: Path, expected: Shape | None) -> tuple[Shape, bytes]:
    """Shape and pixels of a PNG file whose samples are read as they stand: 8 bits, no palette, one frame."""
    try:
        from PIL import Image
    except ImportError as err:
        raise MissingExtraError("images") from err

    data, name = read_file(path, what="picture", limit=_PICTURE_LIMIT), repr(path.name)
    if not data.startswith(_PNG):
        raise FormatError(
            f"{name} is not a PNG file",
            hint=f"{_CONVERT}; a JPEG would come out differently in another version of its decoder",
        )
    broken = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)
    try:
        chunks = _png_chunks(data)
        width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
        if depth != 8 or colour not in _CHANNELS:
            raise FormatError(f"{name} has a palette, or not 8 bits a channel", hint=_CONVERT)
        kinds = {kind for kind, _ in chunks}
        if b"acTL" in kinds:
            raise FormatError(f"{name} is animated", hint="keep one frame")
        if b"tRNS" in kinds:
            raise FormatError(f"{name} names a transparent colour, which would be lost", hint=_CONVERT)
        shape = _checked_shape(name, (height, width, _CHANNELS[colour]), expected)
        _check_scanlines(chunks, shape, bool(interlaced))
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            pixels = image.tobytes()
        if len(pixels) != prod(shape):
            raise ValueError("another size than the header's")
    except broken as err:
        raise FormatError(f"{name} is damaged", hint="restore it from a backup") from err
    return shape, pixels


def _png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and content of every chunk, checksums checked, IHDR first, IEND last, nothing after it."""
    chunks, at = [], len(_PNG)
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + size]
        if struct.unpack_from(">I", data, at + 8 + size) != (zlib.crc32(kind + content),):
            raise ValueError("a checksum does not match")
        chunks.append((kind, content))
        at += 12 + size
    if not chunks or chunks[0][0] != b"IHDR" or [kind for kind, _ in chunks].index(b"IEND") != len(chunks) - 1:
        raise ValueError("chunks are missing or in the wrong order")
    return chunks


def _check_scanlines(chunks: list[tuple[bytes, bytes]], shape: Shape, interlaced: bool) -> None:
    """Check that exactly the rows of the header are there: Pillow says nothing of missing ones, and makes them up."""
    height, width, channels = shape
    size = 0
    for left, top, across, down in _ADAM7 if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            size += rows * (1 + columns * channels)
    stream = zlib.decompressobj()
    rows_found = stream.decompress(b"".join(content for kind, content in chunks if kind == b"IDAT"), size + 1)
    if len(rows_found) != size or not stream.eof or stream.unused_data:
        raise ValueError("another number of rows than the header's")


def _from_npz(path: Path, shape: Shape | None) -> Pictures:
    import numpy as np

    data, name = read_file(path, what="file of pictures", limit=_TOTAL_LIMIT), repr(str(path))
    hint = "numpy.savez(file, x=array of uint8, N x H x W x C)"
    broken = (
        OSError, ValueError, KeyError, EOFError, MemoryError, OverflowError, RuntimeError, struct.error, zlib.error,
        zipfile.BadZipFile,
    )  # fmt: skip
    if data[:4] != b"PK\x03\x04":
        raise FormatError(f"{name} is not an .npz file", hint=hint)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = list(archive.files)
            x = archive["x"] if arrays == ["x"] else None
    except broken as err:
        raise FormatError(f"{name} is damaged, or no .npz file", hint=hint) from err
    if x is None:
        held = ", ".join(map(repr, arrays))[:200]
        raise FormatError(
            f"{name} must hold one array 'x' and nothing else; it holds {held or 'none'}",
            hint="labels are never the owner's: they are born when the key is activated",
        )
    if not isinstance(x, np.ndarray) or x.dtype != np.uint8 or x.ndim != 4:
        raise FormatError(f"{name}: x must be uint8 of four dimensions", hint=hint)
    if not len(x):
        raise ConfigError(f"there is no picture in {name}")
    height, width, channels = x.shape[1:]
    return Pictures(_checked_shape(name, (height, width, channels), shape), tuple(one.tobytes() for one in x))


def _checked_shape(name: str, found: Shape, expected: Shape | None) -> Shape:
    if not 1 <= prod(found) <= _PICTURE_LIMIT:
        raise FormatError(f"{name} has pictures of {_by(found)}", hint=f"1 to {_PICTURE_LIMIT >> 20} MiB each")
    if expected is not None and found != expected:
        raise ConfigError(
            f"{name} is {_by(found)}, not {_by(expected)} (height x width x channels)",
            hint="all pictures of a key have one shape; nothing is scaled or converted here",
        )
    return found


def _by(shape: Shape) -> str:
    return "x".join(map(str, shape))
