"""Write specs/vectors/*.json: ``python specs/reference/generate.py [FOLDER]``. The same bytes each time."""

import sys
from pathlib import Path

import cases_commitment
import cases_consistency
import cases_cosignature
import cases_dispute
import cases_encoding
import cases_fork
import cases_policy
import cases_registry
import cases_release
import cases_tiles
import cases_triggers
import cases_verdict
import cases_witness
from vectors import document

FILES = {
    "encoding": cases_encoding,
    "triggers": cases_triggers,
    "commitment": cases_commitment,
    "consistency": cases_consistency,
    "registry": cases_registry,
    "cosignature": cases_cosignature,
    "policy": cases_policy,
    "witness": cases_witness,
    "tiles": cases_tiles,
    "fork": cases_fork,
    "release": cases_release,
    "verdict": cases_verdict,
    "dispute": cases_dispute,
}


def main(folder):
    for name, cases in FILES.items():
        groups = cases.groups()
        text = document(name, cases.NOTES, groups, **getattr(cases, "SHARED", {}))
        (folder / f"{name}.json").write_text(text, encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "vectors")
