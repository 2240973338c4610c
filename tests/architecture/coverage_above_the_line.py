"""Branch coverage of everything above the torch line must be at least 95 %; prints what it is."""

import json
import subprocess
import sys
from pathlib import Path

from test_layout import ABOVE

LEAST = 95.0

if __name__ == "__main__":
    include = ",".join(["wmproto/errors.py", *(f"wmproto/{name}/*" for name in ABOVE)])
    command = [sys.executable, "-m", "coverage"]
    subprocess.run([*command, "json", "-q", "--include", include, "-o", "coverage-above.json"], check=True)
    subprocess.run([*command, "report", "--include", include, "--skip-covered"], check=False)
    totals = json.loads(Path("coverage-above.json").read_text(encoding="utf-8"))["totals"]
    share = 100 * totals["covered_branches"] / totals["num_branches"]
    print(f"branches above the torch line: {totals['covered_branches']} of {totals['num_branches']} = {share:.2f} %")
    sys.exit(share < LEAST)
