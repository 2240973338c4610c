"""Figures of the spine, as JSON: never a test. Run: make bench

Cold audit of a transcript of 64 leaves (a whole process, median of 7), the same in process, commit of 10,000 leaves of
32x32x3 (seconds, peak memory).
"""

import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "dispute"))

from world import World

from wmproto.commitment.builder import Commitment
from wmproto.commitment.statement import InputSpec
from wmproto.dispute.audit import audit
from wmproto.triggers.noise import noise_input
from wmproto.wire.profile import WMPROTO_1


def cold_and_warm_audit(folder: Path) -> dict[str, object]:
    """Audit 64 leaves of 2x2x3 from a cold start and in process."""
    world = World(folder, n=64, classes=1000)
    _, transcript = world.hold(world.stranger_model(), count=64)
    path, trust = folder / "t.json", folder / "trust.json"
    path.write_bytes(transcript.to_bytes())
    trust.write_bytes(world.trust.to_bytes())
    command = [sys.executable, "-m", "wmproto", "dispute", "audit", str(path), "--trust", str(trust)]
    cold, warm = [], []
    for _ in range(7):
        start = time.perf_counter()
        code = subprocess.run(command, capture_output=True, check=False).returncode
        cold.append(time.perf_counter() - start)
        if code != 10:
            raise SystemExit(f"audit exited with {code}")
    data = path.read_bytes()
    for _ in range(7):
        start = time.perf_counter()
        audit(data, trust=world.trust)
        warm.append(time.perf_counter() - start)
    return {
        "audit_64_cold_s": round(statistics.median(cold), 3),
        "audit_64_in_process_s": round(statistics.median(warm), 4),
        "transcript_bytes": len(data),
    }


def commit_10000() -> dict[str, object]:
    """Commit to 10,000 noise leaves of 32x32x3 in this process; memory is the growth of its peak."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    Commitment(
        profile=WMPROTO_1,
        master=bytes(32),
        keyctx=bytes(32),
        count=10000,
        spec=InputSpec(dtype="uint8", kind="image", shape=(32, 32, 3)),
        source=lambda _i, seed: noise_input(WMPROTO_1, seed, (32, 32, 3)),
    )
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "commit_10000_s": round(seconds, 2),
        "commit_10000_peak_mib": round(peak / 1024, 1),
        "commit_10000_growth_mib": round((peak - before) / 1024, 1),
    }


if __name__ == "__main__":
    figures: dict[str, object] = {"python": platform.python_version(), "machine": platform.machine()}
    figures |= commit_10000()
    with tempfile.TemporaryDirectory() as folder:
        figures |= cold_and_warm_audit(Path(folder))
    print(json.dumps(figures, indent=2, sort_keys=True))
