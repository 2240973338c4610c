"""Write specs/vectors/*.json: ``python specs/reference/generate.py [FOLDER]``. The same bytes each time."""

import sys
from pathlib import Path

import cases_commitment
import cases_encoding
import cases_release
import cases_triggers
import cases_verdict
from vectors import document

FILES = {
    "encoding": cases_encoding,
    "triggers": cases_triggers,
    "commitment": cases_commitment,
    "release": cases_release,
    "verdict": cases_verdict,
}


def main(folder):
    for name, cases in FILES.items():
        (folder / f"{name}.json").write_text(document(name, cases.NOTES, cases.groups()), encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "vectors")
