"""Opens a large log in a fresh process and asks for receipts; prints figures as JSON. See registry.py."""

import json
import random
import re
import sys
import time
from pathlib import Path

from wmproto.registry.log import Log

RECEIPTS = 5000


def rate(work) -> float:
    """Receipts a second."""
    start = time.perf_counter()
    work()
    return RECEIPTS / (time.perf_counter() - start)


def main(place: str) -> None:
    start = time.perf_counter()
    log = Log.open(place)
    log.checkpoint()
    opened = time.perf_counter() - start
    rng = random.Random(1)
    with log.reading() as view:
        size = view.rows.size()
        leaves = [view.rows.nodes(0, n, n + 1)[0] for n in (rng.randrange(size) for _ in range(RECEIPTS))]
    batches = [leaves[at : at + 100] for at in range(0, RECEIPTS, 100)]
    found = {
        "receipts_per_s_single": rate(lambda: [log.receipts([leaf]) for leaf in leaves]),
        "receipts_per_s_batches_of_100": rate(lambda: [log.receipts(batch) for batch in batches]),
        "restart_s": opened,
    }
    log.close()
    # Not ru_maxrss: a child inherits that of the process that started it.
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
    print(json.dumps(found | {"receipts_peak_mib": peak}))


if __name__ == "__main__":
    main(sys.argv[1])
