"""The same code on a GPU: every game and every attack is played, no-op and cheater end as on the CPU."""

import json
import subprocess
import sys

import pytest
from grid_samples import TINY, parsed

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.torch,
    pytest.mark.slow,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU: the same grids run with --device cpu"),
]
TUNED = ("ftll", "ftal", "rtll", "rtal", "overwrite", "extract-soft")
TUNED = "".join(f"  - {{name: {name}, epochs: 1}}\n" for name in TUNED)
PLAIN = "".join(f"  - {name}\n" for name in ("prune", "quantise", "noise", "jpeg"))
CLAIMS = "  - {name: transferable-pictures, surrogates: 1, epochs: 1, steps: 2}\n  - {name: lucky-blocks, tries: 2}\n"


@pytest.mark.parametrize("model", ["small-cnn", "resnet-18"])
def test_every_attack_plays_on_the_gpu(model, tmp_path):
    text = TINY.replace("  - {name: ftal, lr: 0.001, epochs: 1}\n", TUNED + PLAIN + CLAIMS)
    (tmp_path / "grid.yaml").write_text(text.replace("models: small-cnn", f"models: {model}"))
    args = ("game", "run", tmp_path / "grid.yaml", "--out", tmp_path / "runs", "--device", "cuda", "--workers", "4")
    done = subprocess.run(
        [sys.executable, "-m", "wmproto", *map(str, args)], capture_output=True, text=True, check=False
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    records = [json.loads(line) for line in (tmp_path / "runs" / "records.jsonl").read_text().splitlines()]
    assert len(records) == parsed((tmp_path / "grid.yaml").read_text()).count
    assert {record["state"] for record in records} <= {"played", "void"}
    assert all(record["device"].startswith("cuda (") for record in records)
    for record in records:
        if record["adversary"] and record["state"] == "played" and record["adversary"]["kind"] in ("no-op", "cheater"):
            assert record["won"] == (record["adversary"]["kind"] == "cheater"), (record["game"], record["profile"])
