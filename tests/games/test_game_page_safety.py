"""Nobody breaks out of the page of games, and it hands the records back as files that harm no spreadsheet."""

import base64
import csv
import io
import json
import re

import pytest
from record_samples import HOSTILE, Tree, attack, failed, record, removal, rich, scheme

from wmproto.games.page import render
from wmproto.games.page.downloads import downloads, table
from wmproto.games.record import parse_record


def files(page):
    return {
        attrs["download"]: base64.b64decode(attrs["href"].partition("base64,")[2])
        for tag, attrs in Tree(page).tags
        if tag == "a" and "download" in attrs
    }


# --- hostile records


def test_nobody_breaks_out():
    named = {
        "scheme": scheme(HOSTILE, evil=HOSTILE),
        "grid": HOSTILE,
        "data": HOSTILE,
        "model": HOSTILE,
        "device": HOSTILE,
    }
    other = attack(HOSTILE, lr=0.1, evil=HOSTILE)
    cells = [one.model_copy(update=named) for one in rich(seeds=(1,))]
    cells += [
        removal(lr=lr).model_copy(update={**named, "adversary": other, "cell": f"{i:016x}"})
        for i, lr in enumerate((0.1, 0.2))
    ]
    cells += [
        record(
            "false-claim", attack(HOSTILE, "claim"), won=False, hits={"result": 3}, versions={HOSTILE: HOSTILE}, **named
        )
    ]
    cells.append(removal("ftal", lr=HOSTILE, epochs=HOSTILE))
    page = render(cells, title=HOSTILE, missing=[HOSTILE])
    tree = Tree(page)
    allowed = {
        "a",
        "article",
        "aside",
        "b",
        "bdi",
        "body",
        "br",
        "code",
        "dd",
        "desc",
        "details",
        "div",
        "dl",
        "dt",
        "figcaption",
    }
    allowed |= {
        "figure",
        "footer",
        "g",
        "h1",
        "h2",
        "h3",
        "h4",
        "head",
        "header",
        "html",
        "li",
        "line",
        "main",
        "meta",
        "nav",
        "p",
    }
    allowed |= {
        "path",
        "polyline",
        "rect",
        "section",
        "small",
        "span",
        "strong",
        "style",
        "summary",
        "svg",
        "table",
        "tbody",
        "td",
    }
    allowed |= {"text", "th", "thead", "title", "tr", "ul"}
    assert {tag for tag, _ in tree.tags} <= allowed
    assert not [attrs for _, attrs in tree.tags if any(name.startswith("on") for name in attrs)]
    assert "\u202e" not in page
    assert "\x00" not in page
    assert "\\u202e" in page
    assert "http" not in re.sub(r'http-equiv="', "", re.sub(r"base64,[A-Za-z0-9+/=]*", "", page))


def test_the_policy_allows_style_alone(tree):
    policy = [attrs["content"] for tag, attrs in tree.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"]


# --- downloads


def test_the_files_hold_every_record(page):
    held = files(page)
    records = rich()
    lines = b"".join(held[name] for name in held if name.endswith(".jsonl")).splitlines(keepends=True)
    assert [parse_record(line, what="line") for line in lines] == records
    rows = [
        row
        for name in held
        if name.endswith(".csv")
        for row in csv.DictReader(io.StringIO(held[name].decode(), newline=""))
    ]
    assert [row["cell"] for row in rows] == [one.cell for one in records]
    assert [row["retention_result_hits"] for row in rows] == [
        str(one.retention.result.hits) if one.retention and one.retention.result else "" for one in records
    ]
    assert json.loads(rows[0]["versions"]) == records[0].versions


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_spreadsheet_meets_no_formula_and_numbers_stay_numbers(start):
    formula = f"{start}HYPERLINK(1)"
    one = failed(formula, device=formula, data=formula, model=formula)
    low = record("false-claim", attack("x", "claim"), won=False, bits=-15, hits={"result": 3})
    held = {each.name: each for each in downloads([one, low])}
    rows = list(
        csv.DictReader(
            io.StringIO(base64.b64decode(held["records.csv"].address.partition(",")[2]).decode(), newline="")
        )
    )
    assert [rows[0][name] for name in ("error", "device", "data", "model")] == [f"'{formula}"] * 4
    assert rows[1]["bits"] == "-15"
    assert table(low)["bits"] == -15


def test_long_files_come_in_pieces_that_a_browser_opens():
    many = [removal(seed=seed, lr=0.1) for seed in range(2500)]
    pieces = downloads(many)
    assert all(len(each.address) < 2_097_152 for each in pieces)
    for suffix in ("csv", "jsonl"):
        some = [each for each in pieces if each.name.endswith(suffix)]
        assert len(some) > 1
        assert [each.first for each in some] == [1, *(each.last + 1 for each in some[:-1])]
        assert some[-1].last == 2500
        assert len({each.name for each in some}) == len(some)
    assert downloads([]) == []
