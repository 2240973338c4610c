"""Small grids on pictures that are made on the spot."""

from pathlib import Path

from wmproto.games.gridfile import parse_grid

TINY = """format: wmproto/grid@v1
name: tiny
games: [functionality, non-trivial-ownership, unremovability, unforgeability, false-claim]
profiles: [wmproto/1, adi2018]
data:
  - {name: made, owner: 600, thief: 400, stranger: 600, test: 200}
models: small-cnn
training: {epochs: 8, lr: 0.05, batch: 64}
keys: {leaves: 128, triggers: 50}
schemes:
  - {name: adi-from-scratch, rows: 32}
attacks:
  - {name: ftal, lr: 0.001, epochs: 1}
  - {name: blur, sigma: 1.0}
  - {name: extract-hard, epochs: 2}
  - {name: root-grinding, tries: 20, epochs: 1}
  - guessed-opening
budgets: {forward: 100000, backward: 100000, queries: 1000}
seeds: 1
"""


def grid(text=TINY, **changes):
    """The grid, some lines replaced: name -> the rest of its line."""
    lines = []
    for line in text.splitlines():
        name = line.split(":")[0]
        lines.append(f"{name}: {changes.pop(name)}" if name in changes else line)
    assert not changes
    return "\n".join(lines) + "\n"


def parsed(text=TINY, folder="."):
    return parse_grid(text.encode(), what="grid.yaml", folder=Path(folder))
