"""All records as files inside the page: links that hold the bytes, and save them under a name.

Chromium opens no address beyond two million characters, so a long file comes in pieces; each CSV has its own header.
"""

from __future__ import annotations

import csv
import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

from wmproto.games.record import Limits, Named, Rate, Record

__all__ = ["Download", "downloads", "table"]

_MOST = 1_500_000  # bytes of a piece; base64 makes a third more of them
_ACCURACY = ("victim", "twin", "independent", "result", "control")
_RETENTION = (*_ACCURACY, "original_head")
_EVIDENCE = ("verdict", "accepted", "bits", "asked", "leaves", "ghost_hits", "ghosts")
_LIMITS = ("forward", "backward", "queries")
Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Download:
    """A file: its name, its address, and the records in it, the first counted as 1."""

    name: str
    address: str
    first: int
    last: int


def table(record: Record) -> dict[str, Value]:
    """A record as one row: the column's name to its value."""
    row: dict[str, Value] = {
        name: getattr(record, name) for name in ("cell", "grid", "game", "profile", "data", "model")
    }
    row |= _named("scheme", record.scheme) | _named("adversary", record.adversary)
    row |= _limits("budget", record.budget)
    row |= {name: getattr(record, name) for name in ("seed", "state", "error", "won")}
    for part, names in (("accuracy", _ACCURACY), ("retention", _RETENTION)):
        for name in names:
            row |= _rate(f"{part}_{name}", getattr(getattr(record, part), name, None))
    row |= {name: getattr(record.evidence, name, None) for name in _EVIDENCE}
    row |= _limits("used", record.used)
    row |= {name: getattr(record.cost, name, None) for name in ("seconds", "work_seconds")}
    row["findings"] = "; ".join(f"{one.code}: {one.text}" for one in record.findings)
    row["device"], row["versions"] = record.device, _json(record.versions)
    row["config"], row["log"] = _json(record.config), _json(record.log)
    return row


def downloads(records: Sequence[Record]) -> list[Download]:
    """CSV and JSON lines."""
    rows = [_line(list(table(record).values())) for record in records]
    head = _line(list(table(records[0]))) if records else b""
    lines = [record.to_line() for record in records]
    return [*_pieces("csv", "text/csv", head, rows), *_pieces("jsonl", "application/octet-stream", b"", lines)]


def _pieces(suffix: str, kind: str, head: bytes, lines: Sequence[bytes]) -> Iterator[Download]:
    first, size, cuts = 0, len(head), []
    for at, line in enumerate(lines):
        if at > first and size + len(line) > _MOST:
            cuts.append((first, at))
            first, size = at, len(head)
        size += len(line)
    cuts += [(first, len(lines))] if lines else []
    for start, end in cuts:
        data = b64encode(head + b"".join(lines[start:end])).decode()
        part = f"-{start + 1}-{end}" if len(cuts) > 1 else ""
        yield Download(f"records{part}.{suffix}", f"data:{kind};base64,{data}", start + 1, end)


def _line(values: Sequence[Value]) -> bytes:
    out = StringIO()
    csv.writer(out).writerow([_cell(value) for value in values])
    return out.getvalue().encode()


def _cell(value: Value) -> Value:
    """Text that a spreadsheet would take for a formula gets an apostrophe; numbers stay what they are."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else value


def _named(what: str, named: Named | None) -> dict[str, Value]:
    found: dict[str, Value] = {what: named.name if named else None}
    found |= {f"{what}_kind": named.kind if named else None} if what == "adversary" else {}
    return found | {f"{what}_settings": _json(named.settings) if named else None}


def _limits(what: str, limits: Limits | None) -> dict[str, Value]:
    return {f"{what}_{name}": getattr(limits, name, None) for name in _LIMITS}


def _rate(what: str, rate: Rate | None) -> dict[str, Value]:
    return {f"{what}_{name}": getattr(rate, name, None) for name in ("hits", "total", "low", "high")}


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)
