"""Weights in escrow: the same answers everywhere on this machine, and the process as it was before."""

import hashlib
import json
import math
import subprocess
import sys
from importlib import metadata

import pytest
import torch
from torch_samples import every_layer, linear_arch, random_bytes, random_tensors

from wmproto.errors import ConfigError, FormatError
from wmproto.models import EscrowSuspect, build_network
from wmproto.models.escrow import installed_library, pinned
from wmproto.models.weights import save_tensors
from wmproto.release.architecture import architecture_bytes, parse_architecture
from wmproto.release.tensors import model_digest, read_tensors

pytestmark = pytest.mark.torch
torch.set_num_threads(1)
ARCH = parse_architecture(every_layer())
DATA = save_tensors(random_tensors(ARCH, 7))
INPUTS = [bytes(x.flatten().tolist()) for x in random_bytes((20, 9, 8, 2), 7)]


def _scores(suspect):
    return [[score.hex() for score in scores] for scores in suspect.scores(INPUTS)]


def _linear(weight, bias):
    weight, bias = torch.tensor(weight), torch.tensor(bias)
    arch = linear_arch(*weight.shape)
    return EscrowSuspect(save_tensors({"1.weight": weight.float(), "1.bias": bias.float()}), arch)


def test_it_knows_its_digest():
    suspect = EscrowSuspect(DATA, ARCH)
    assert suspect.tensors == read_tensors(DATA, ARCH)
    assert suspect.h_f == model_digest(ARCH, suspect.tensors)
    assert suspect.classes == 3
    assert suspect.shape == (9, 8, 2)


def test_answers_are_the_networks_own_and_twice_the_same():
    suspect = EscrowSuspect(DATA, ARCH)
    once = _scores(suspect)
    assert once == _scores(suspect) == _scores(EscrowSuspect(DATA, ARCH))
    assert [suspect.answer(one) for one in reversed(INPUTS)][::-1] == suspect.answers(INPUTS)
    network = build_network(ARCH, random_tensors(ARCH, 7)).eval()
    with torch.no_grad():
        batch = network(torch.stack([torch.tensor(list(one), dtype=torch.uint8).reshape(9, 8, 2) for one in INPUTS]))
    assert suspect.answers(INPUTS) == batch.argmax(1).tolist()


def test_a_fresh_process_gives_the_same_bytes(tmp_path):
    (tmp_path / "w").write_bytes(DATA)
    (tmp_path / "a").write_bytes(architecture_bytes(ARCH))
    (tmp_path / "i").write_bytes(b"".join(INPUTS))
    script = """
import json, pathlib, sys
import torch
torch.manual_seed(123); torch.set_num_threads(2); torch.set_float32_matmul_precision("medium")
from wmproto.models.escrow import EscrowSuspect
from wmproto.release.architecture import parse_architecture_bytes
w, a, i = (pathlib.Path(sys.argv[1], n).read_bytes() for n in "wai")
suspect = EscrowSuspect(w, parse_architecture_bytes(a))
inputs = [i[k : k + 144] for k in range(0, len(i), 144)]
print(json.dumps([[score.hex() for score in scores] for scores in suspect.scores(inputs)]))
"""
    out = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, capture_output=True, text=True)
    assert json.loads(out.stdout) == _scores(EscrowSuspect(DATA, ARCH))


def _state():
    denormal = (torch.tensor(2.0**-1074, dtype=torch.float64, device="cpu") * 1).item()
    return (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.get_float32_matmul_precision(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_default_dtype(),
        torch.get_default_device(),
        denormal,
        bytes(torch.get_rng_state().tolist()),
    )


@pytest.mark.parametrize("wild", [False, True])
def test_global_state_is_as_before_and_does_not_matter(wild):
    suspect = EscrowSuspect(DATA, ARCH)
    right = _scores(suspect)
    outside = _state()
    try:
        if wild:
            torch.set_num_threads(2)
            torch.use_deterministic_algorithms(True, warn_only=True)
            torch.set_float32_matmul_precision("medium")
            torch.set_flush_denormal(True)
            torch.set_default_dtype(torch.float64)
            torch.set_default_device("meta")
            torch.manual_seed(99)
        with torch.autocast("cpu", enabled=wild), torch.set_grad_enabled(not wild):
            before = _state()
            assert _scores(EscrowSuspect(DATA, ARCH) if not wild else suspect) == right
            suspect.answer(INPUTS[0])
            assert _state() == before
            with pytest.raises(ConfigError):
                suspect.answer(b"short")
            assert _state() == before
            with pytest.raises(ZeroDivisionError), pinned():
                1 / 0  # noqa: B018
            assert _state() == before
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)
        torch.set_flush_denormal(False)
        torch.set_float32_matmul_precision("highest")
        torch.use_deterministic_algorithms(False)
        torch.set_num_threads(1)
    assert _state()[:-1] == outside[:-1]


def test_inside_everything_is_pinned():
    with pinned():
        assert torch.get_num_threads() == 1
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.is_deterministic_algorithms_warn_only_enabled()
        assert torch.get_float32_matmul_precision() == "highest"
        assert not torch.is_grad_enabled()
        assert not torch.is_autocast_enabled("cpu")


def test_a_suspect_may_be_built_under_any_defaults():
    right = _scores(EscrowSuspect(DATA, ARCH))
    try:
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        with torch.autocast("cpu"):
            suspect = EscrowSuspect(DATA, ARCH)
        assert _scores(suspect) == right
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)


def test_ties_nan_and_infinities():
    zeros = [[0.0] * 4] * 3
    x = bytes([1, 2, 3, 4])
    assert _linear(zeros, [1.0, 1.0, 1.0]).answer(x) == 0
    assert _linear(zeros, [0.0, 5.0, 5.0]).answer(x) == 1
    assert _linear(zeros, [-0.0, 0.0, -1.0]).answer(x) == 0
    assert _linear(zeros, [math.inf, 0.0, math.inf]).answer(x) == 0
    assert _linear(zeros, [-math.inf] * 3).answer(x) == 0
    assert _linear(zeros, [0.0, math.nan, 9.0]).answer(x) is None
    assert _linear([[math.nan] + [0.0] * 3, [0.0] * 4, [1.0] * 4], [0.0] * 3).answer(x) is None
    assert _linear([[1.0] * 4, [2.0] * 4, [0.0] * 4], [0.0] * 3).answer(x) == 1
    overflow = _linear([[3e38, 3e38, 0, 0], [3e38, -3e38, 0, 0], [0.0] * 4], [0.0] * 3)
    assert overflow.answer(bytes([255, 255, 0, 0])) in (0, None)


def test_denormal_weights_still_count():
    tiny = 2.0**-149
    assert _linear([[0.0] * 4, [tiny] * 4], [0.0, 0.0]).answer(bytes([1, 1, 1, 1])) == 1


def test_wrong_length_and_wrong_weights():
    suspect = EscrowSuspect(DATA, ARCH)
    with pytest.raises(ConfigError, match="9x8x2"):
        suspect.answers([INPUTS[0], INPUTS[1][:-1]])
    with pytest.raises(FormatError, match="missing"):
        EscrowSuspect(save_tensors({k: v for k, v in random_tensors(ARCH, 7).items() if k != "8.bias"}), ARCH)
    with pytest.raises(FormatError, match="F64"):
        EscrowSuspect(save_tensors({k: v.double() for k, v in random_tensors(ARCH, 7).items()}), ARCH)


def test_settings_name_the_build_of_torch():
    settings = EscrowSuspect(DATA, ARCH).settings
    assert json.loads(json.dumps(settings)) == settings
    assert (settings["dtype"], settings["batch"], settings["threads"]) == ("float32", 1, 1)
    (library,) = settings["libraries"]
    assert library["name"] == "torch"
    assert library["version"] == metadata.version("torch")
    lines = []
    for line in metadata.distribution("torch").read_text("RECORD").splitlines():
        path, digest, _ = line.rsplit(",", 2)
        if path.startswith("torch/") and digest and not path.endswith(".pyc"):
            lines.append(f"{path},{digest}\n".encode())
    assert len(lines) > 1000
    assert library["digest"] == hashlib.sha256(b"".join(sorted(lines))).hexdigest()


class _Distribution:
    version = "1.0"

    def __init__(self, record):
        self._record = record

    def read_text(self, name):
        assert name == "RECORD"
        return self._record


def test_the_digest_does_not_depend_on_the_installer(monkeypatch):
    wheel = "torch/a.py,sha256=AA,1\ntorch/b.so,sha256=BB,2\ntorch-1.0.dist-info/METADATA,sha256=CC,3\n"
    pip = (
        "../../../bin/torchrun,sha256=DD,4\ntorch-1.0.dist-info/INSTALLER,sha256=EE,5\ntorch/b.so,sha256=BB,2\n"
        "torch/__pycache__/a.cpython-311.pyc,,\ntorch/a.py,sha256=AA,1\ntorch-1.0.dist-info/RECORD,,\n"
    )
    found = []
    for record in (wheel, pip, wheel.replace("AA", "AB")):
        installed_library.cache_clear()
        monkeypatch.setattr(metadata, "distribution", lambda name, record=record: _Distribution(record))
        found.append(installed_library("torch")["digest"])
    assert found[0] == found[1] == hashlib.sha256(b"torch/a.py,sha256=AA\ntorch/b.so,sha256=BB\n").hexdigest()
    assert found[0] != found[2]
    for record in (None, "", "torch/a.py,,\n"):
        installed_library.cache_clear()
        monkeypatch.setattr(metadata, "distribution", lambda name, record=record: _Distribution(record))
        with pytest.raises(ConfigError, match="RECORD"):
            installed_library("torch")
    installed_library.cache_clear()


def test_a_library_that_is_not_there():
    with pytest.raises(ConfigError, match="not an installed"):
        installed_library("no-such-library-here")
