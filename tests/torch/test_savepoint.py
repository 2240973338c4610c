"""A training that is cut off goes on from its savepoint and ends with the same bytes; no other savepoint is taken."""

import json
import stat

import numpy as np
import pytest
import safetensors.torch
import torch
from torch_samples import blobs

from wmproto.errors import ConfigError, FormatError
from wmproto.marking import MarkedLeaves, MarkedLoader
from wmproto.models import Batches, Dataset, Savepoint, network_tensors, small_cnn, trained
from wmproto.models.weights import save_tensors
from wmproto.wire.canonical import canonical_json
from wmproto.wire.framing import frame, sha256

pytestmark = pytest.mark.torch
torch.set_num_threads(1)
EPOCHS, DATA, ARCH = 4, Dataset(*blobs(40, 1)), small_cnn((8, 8, 1), 4)


def _loader(seed=1, rows=5, batch=16):
    rng = np.random.default_rng(5)
    x = rng.integers(0, 256, (11, 8, 8, 1), dtype=np.uint8)
    leaves = MarkedLeaves(x, rng.integers(0, 4, 11), bytes(32))  # 11 is no multiple of 5 rows or 15 rows an epoch
    return MarkedLoader(Batches(DATA, batch=batch, seed=seed), leaves, seed=seed + 1, rows_per_batch=rows)


def _train(savepoint=None, *, seed=3, epochs=EPOCHS, progress=None, loader=None, lr=0.05):
    network = trained(
        ARCH, loader or _loader(), seed=seed, epochs=epochs, lr=lr, savepoint=savepoint, progress=progress
    )
    return save_tensors(network_tensors(network))


class CutError(Exception):
    pass


def _cut_at(step):
    def progress(done, total):
        if done == step:
            raise CutError

    return progress


@pytest.fixture(scope="module")
def whole():
    return _train()


@pytest.fixture
def kept(tmp_path):
    """A savepoint after two epochs of four."""
    savepoint = Savepoint(tmp_path / "s", {"seed": 1})
    with pytest.raises(CutError):
        _train(savepoint, progress=_cut_at(7))
    assert savepoint.done() == 2
    return savepoint


def test_a_savepoint_changes_nothing(tmp_path, whole):
    assert _train(Savepoint(tmp_path / "s", {})) == whole


@pytest.mark.parametrize("step", range(1, 3 * EPOCHS + 1))
def test_cut_off_anywhere_it_ends_with_the_same_bytes(tmp_path, whole, step):
    savepoint = Savepoint(tmp_path / "s", {"seed": 1})
    with pytest.raises(CutError):
        _train(savepoint, progress=_cut_at(step))
    done, steps = (step - 1) // 3, []
    assert savepoint.done() == done
    assert _train(savepoint, progress=lambda *at: steps.append(at)) == whole
    assert steps == [(i, 12) for i in range(3 * done or 1, 13)]  # the bar goes on where it was
    assert savepoint.done() == EPOCHS


def test_cut_off_again_and_again(tmp_path, whole):
    savepoint, cuts = Savepoint(tmp_path / "s", {"seed": 1}), 0
    for step in (2, 4, 8, 9, 11):
        with pytest.raises(CutError):
            _train(savepoint, progress=_cut_at(step))
        cuts += 1
    assert cuts == 5
    assert _train(savepoint) == whole


def test_nobody_else_reads_it_and_nothing_is_left_when_it_is_removed(kept):
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    kept.remove()
    kept.remove()
    assert list(kept.path.parent.iterdir()) == []
    assert kept.done() == 0


def test_another_training_is_refused_by_name(kept, monkeypatch):
    before = kept.path.read_bytes()
    for other, name in (
        (lambda: _train(Savepoint(kept.path, {"seed": 2})), "seed"),
        (lambda: _train(Savepoint(kept.path, {"seed": 1, "data": "d"})), "data"),
        (lambda: _train(kept, epochs=5), "number of epochs"),
        (lambda: _train(kept, lr=0.1), "learning rate"),
        (lambda: _train(kept, loader=_loader(batch=8)), "number of batches"),
        (lambda: _train(kept, seed=4), "beginning"),  # other first weights
        (lambda: _train(kept, loader=_loader(seed=7)), "beginning"),  # another order
    ):
        with pytest.raises(ConfigError, match=f"of a training with another {name}$") as caught:
            other()
        assert "remove it" in caught.value.hint
    monkeypatch.setattr(torch, "__version__", "9.9")
    with pytest.raises(ConfigError, match="version of torch"):
        Savepoint(kept.path, {"seed": 1}).done()
    assert kept.path.read_bytes() == before


def _edited(data, **changed):
    size = int.from_bytes(data[:8], "little")
    text = json.loads(data[8 : 8 + size])["__metadata__"]["wmproto.training"]
    record = json.loads(text) | changed
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return safetensors.torch.save(safetensors.torch.load(data), metadata={"wmproto.training": text})


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: b"",
        lambda d: d[:7],
        lambda d: d[: len(d) // 2],
        lambda d: d[:-1],
        lambda d: d + b"\x00",
        lambda d: d[:-5] + bytes([d[-5] ^ 1]) + d[-4:],
        lambda d: d.replace(b'.given"', b'.Given"'),
        lambda d: d.replace(b'"F32"', b'"I32"', 1),
        lambda d: _edited(d, epoch=3),
        lambda d: _edited(d, epoch=-1),
        lambda d: _edited(d, format="wmproto/training@v2"),
        lambda d: _edited(d, more=1),
        lambda d: safetensors.torch.save(safetensors.torch.load(d)),
        lambda d: b"{}" * 50,
    ],
    ids=range(14),
)
def test_a_torn_or_edited_one_is_refused_by_name(kept, damage):
    data = damage(kept.path.read_bytes())
    kept.path.write_bytes(data)
    with pytest.raises(FormatError, match=r"/s is no savepoint of a training, or a damaged one$") as caught:
        _train(kept)
    assert "remove it" in caught.value.hint
    assert kept.path.read_bytes() == data


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("loader.given", torch.tensor(12)),
        ("loader.given", torch.tensor(-1)),
        ("loader.order", torch.zeros(11, dtype=torch.int64)),
        ("loader.generator", torch.zeros(5056, dtype=torch.uint8)),
        ("loader.loader.generator", torch.zeros(5056, dtype=torch.uint8)),
        ("weights.1.weight", torch.zeros(3)),
        ("momentum.1.weight", torch.zeros(16, 1, 3, 3, dtype=torch.float64)),
        ("more", torch.zeros(3)),
    ],
)
def test_one_whose_digest_is_right_and_whose_values_make_no_sense_is_refused(kept, name, value):
    bound = {}
    real = Savepoint.bound
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Savepoint, "bound", lambda self, more: bound.setdefault("it", real(self, more)))
        with pytest.raises(CutError):
            _train(kept, progress=_cut_at(6))
    tensors = safetensors.torch.load(kept.path.read_bytes())
    bound["it"].save(2, tensors | {name: value})
    with pytest.raises(FormatError, match="no savepoint"):
        _train(kept)


@pytest.mark.parametrize(
    "dtype", [torch.bfloat16, torch.float16, torch.float64, torch.float8_e4m3fn, torch.complex64, torch.bool], ids=str
)
@pytest.mark.parametrize("shape", [(), (0,), (3, 5)], ids=str)
def test_tensors_of_any_dtype_are_kept(tmp_path, dtype, shape):
    tensors = {"x": torch.ones(shape, dtype=dtype)}
    savepoint = Savepoint(tmp_path / "s", {})
    savepoint.save(1, tensors)
    done, found = savepoint.load(tensors)
    assert (done, found["x"].dtype, found["x"].shape) == (1, dtype, torch.Size(shape))
    assert found["x"].tolist() == tensors["x"].tolist()


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F4", "I64", "F32", "F31"])
@pytest.mark.parametrize(
    "shape", [[2**62, 0], [0, 2**63], [0, 2**64], [2**40, 2**40, 0], [0, -1], [16], [8], [4]], ids=str
)
def test_no_header_makes_loading_fail_otherwise(tmp_path, dtype, shape):
    savepoint, like = Savepoint(tmp_path / "s", {}), {"x": torch.zeros(4)}
    savepoint.save(1, like)
    data = savepoint.path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    for body in (b"", data[8 + size :]):
        header = json.loads(data[8 : 8 + size]) | {
            "x": {"dtype": dtype, "shape": shape, "data_offsets": [0, len(body)]}
        }
        text = json.dumps(header).encode()
        if (dtype, shape, len(body)) == ("F32", [4], 16):
            continue  # what it was
        savepoint.path.write_bytes(len(text).to_bytes(8, "little") + text + body)
        with pytest.raises(FormatError, match="no savepoint"):
            savepoint.load(like)


def test_the_digest_of_a_savepoint_stays(tmp_path):
    """What an earlier version saved is gone on with: name, dtype, shape and raw bytes of each tensor are hashed."""
    savepoint, tensors = Savepoint(tmp_path / "s", {}), {"x": torch.arange(6.0).reshape(2, 3)}
    savepoint.save(1, tensors)
    data = savepoint.path.read_bytes()
    record = json.loads(
        json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]["wmproto.training"]
    )
    x = frame("x", "torch.float32", frame(2, 3), sha256(tensors["x"].numpy().tobytes()))
    assert record["digest"] == sha256(frame(frame(1), canonical_json(record["training"]), x)).hex()


def test_a_loader_that_cannot_say_where_it_is_is_the_callers_bug(tmp_path):
    savepoint = Savepoint(tmp_path / "s", {})
    plain = [(torch.from_numpy(DATA.x), torch.from_numpy(DATA.y))]
    for loader in (plain, MarkedLoader(plain, _loader_leaves(), seed=1)):
        with pytest.raises(TypeError, match="state"):
            _train(savepoint, loader=loader)


def _loader_leaves():
    return MarkedLeaves(np.zeros((1, 8, 8, 1), np.uint8), np.zeros(1, np.int64), bytes(32))


def test_the_digest_of_data_sees_every_byte():
    x, y = blobs(6, 0)
    digests = {Dataset(x, y).digest(), Dataset(x[::-1].copy(), y).digest(), Dataset(x, y[::-1].copy()).digest()}
    digests |= {Dataset(x.reshape(6, 4, 16, 1), y).digest(), Dataset(x[:5], y[:5]).digest()}
    assert len(digests) == 5
    assert Dataset(x.copy(), y.astype(np.int32)).digest() in digests
