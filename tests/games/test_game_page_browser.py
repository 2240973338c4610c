"""The page of games in a real browser (Debian's Chromium, headless): nothing fails, loads, overflows; files are saved."""

import csv
import io
from pathlib import Path

import pytest
from chromium import browser, needs_chromium, watched  # noqa: F401  two of them fixtures
from record_samples import HOSTILE, rich

from wmproto.games.page import render
from wmproto.games.record import parse_record

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def records():
    return rich()


@pytest.fixture(scope="module")
def address(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("browser") / "games.html"
    path.write_text(render(records, title=f"Sample {HOSTILE}", missing=["x" * 300]), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def view(watched, address):  # noqa: F811  the fixture
    """Open the page at a width, all its parts unfolded: the page, what it requested, what it complained about."""

    def at(width):
        page, requests, complaints = watched(address, width)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        return page, requests, complaints

    return at


def overlaps(page):
    """Pairs of words in one drawing that cover each other."""
    return page.evaluate("""() => {
        const found = [];
        for (const svg of document.querySelectorAll('svg.plot')) {
            const texts = Array.from(svg.querySelectorAll('text'));
            const boxes = texts.map(t => t.getBoundingClientRect());
            for (let i = 0; i < boxes.length; i++) for (let j = 0; j < i; j++) {
                const [a, b] = [boxes[i], boxes[j]], x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
                const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
                if (x > 0.5 && y > 3) found.push([texts[i].textContent, texts[j].textContent, x, y]);
            }
        }
        return found;
    }""")


@pytest.mark.parametrize("width", [1200, 400])
def test_it_shows_everything_and_loads_nothing(view, address, width):
    page, requests, complaints = view(width)
    assert complaints == []
    assert requests == [address]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    drawings = page.locator("svg.plot").all()
    assert len(drawings) > 15
    for one in drawings:
        box = one.bounding_box()
        assert box["width"] >= 300
        assert box["x"] + box["width"] <= width
    assert overlaps(page) == []


@pytest.mark.parametrize("width", [1200, 400])
def test_nothing_sticks_out_of_a_table_that_does_not_scroll(view, width):
    page, _, _ = view(width)
    assert (
        page.evaluate("""() => Array.from(document.querySelectorAll('td, th'))
        .filter(cell => !cell.closest('.scroll, thead') && cell.scrollWidth > cell.clientWidth + 1)
        .map(cell => cell.textContent)""")
        == []
    )


def test_the_files_can_be_saved_and_read(view, records):
    page, _, complaints = view(1200)
    lines, rows = b"", []
    links = page.locator("a[download]").all()
    assert len(links) >= 2
    for link in links:
        with page.expect_download() as saved:
            link.click()
        assert saved.value.suggested_filename == link.get_attribute("download")
        data = Path(saved.value.path()).read_bytes()
        if saved.value.suggested_filename.endswith(".csv"):
            rows += csv.DictReader(io.StringIO(data.decode(), newline=""))
        else:
            lines += data
    assert [parse_record(line, what="line") for line in lines.splitlines(keepends=True)] == records
    assert [row["cell"] for row in rows] == [one.cell for one in records]
    assert complaints == []


def test_bars_lines_and_points_differ_in_grey(view):
    page, _, _ = view(1200)
    colours = page.evaluate(
        """() => Array.from(new Set(Array.from(document.querySelectorAll('.bars rect'), r => r.getAttribute('fill'))))"""
    )
    light = [sum(w * int(c[i : i + 2], 16) for w, i in ((0.21, 1), (0.72, 3), (0.07, 5))) for c in colours]
    assert len(light) == 2
    assert abs(light[0] - light[1]) > 80
    marks = page.evaluate(
        """() => Array.from(document.querySelectorAll('#points ~ .keys path'), p => p.getAttribute('d') + p.getAttribute('fill'))"""
    )
    assert len(marks) > 8
    assert len(set(marks)) == len(marks)


def test_it_prints_with_all_its_numbers(view, address):
    page, _, complaints = view(1200)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = false)")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 960})  # A4 within its margins
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    tables = "Array.from(document.querySelectorAll('details table'), one => one.checkVisibility())"
    assert set(page.evaluate(tables)) == {True}
    assert page.pdf().startswith(b"%PDF-")
    assert complaints == []
