"""The page in a real browser (Debian's Chromium, headless, without a network): nothing fails, loads or overflows."""

from io import BytesIO
from itertools import pairwise

import pytest
from chromium import browser, needs_chromium, watched  # noqa: F401  two of them fixtures
from report_samples import dependent, hostile, inadmissible, stranger, unfinished
from test_report_page import CLAIMS, MODELS, STORY

from wmproto.report import render

pytestmark = needs_chromium
DISPUTES = (dependent, stranger, hostile, inadmissible, unfinished)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("browser") / "report.html"
    path.write_text(
        render([sample() for sample in DISPUTES], models=MODELS, claims=CLAIMS, story=STORY), encoding="utf-8"
    )
    return path.as_uri()


@pytest.fixture
def view(watched, address):  # noqa: F811  the fixture
    """Open the page at a width: the page, what it requested, and what it complained about."""
    return lambda width: watched(address, width)


@pytest.mark.parametrize("width", [1200, 400])
def test_it_shows_everything_and_loads_nothing(view, address, width):
    page, requests, complaints = view(width)
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:image/png;base64,")] == [address]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator("svg.chart").bounding_box()
    assert box["width"] >= 300
    assert box["height"] >= 200
    assert page.locator("svg.chart polyline.wealth").count() == len(DISPUTES)
    sizes = page.evaluate("Array.from(document.images, i => i.complete && i.naturalWidth * i.width)")
    assert len(sizes) > 50
    assert all(sizes)


def test_the_page_forbids_scripts_and_loads_even_if_something_slips_in(view):
    page, _, complaints = view(1200)
    blocked = []
    page.on("requestfailed", lambda request: blocked.append((request.url, request.failure)))
    page.evaluate("""() => {
        document.body.insertAdjacentHTML('beforeend', '<img src="file:///nowhere.png"><b onclick="window.ran = 1">b</b>');
        const script = document.createElement('script');
        script.textContent = 'window.ran = 1';
        document.body.append(script);
        document.body.lastElementChild.previousElementSibling.click();
    }""")
    page.wait_for_function("document.images[document.images.length - 1].complete")
    assert page.evaluate("window.ran") is None
    assert blocked == [("file:///nowhere.png", "csp")]
    assert len(complaints) == 3, complaints
    assert all("Content Security Policy" in text for text in complaints)


def test_lines_differ_in_grey(view):
    page, _, _ = view(1200)
    page.evaluate("document.documentElement.style.filter = 'grayscale(1)'")
    lines = "Array.from(document.querySelectorAll('svg.chart polyline.wealth'), line => getComputedStyle(line).strokeDasharray)"
    assert len(set(page.evaluate(lines))) == len(DISPUTES)
    from PIL import Image

    with Image.open(BytesIO(page.locator("svg.chart").screenshot())) as shot:
        assert all(max(colour) - min(colour) <= 1 for _, colour in shot.convert("RGB").getcolors(1 << 24))


def test_pictures_are_shown_with_sharp_pixels_and_framed_by_kind(view):
    page, _, _ = view(1200)
    assert page.evaluate("getComputedStyle(document.images[0]).imageRendering") == "pixelated"
    frame = "kind => getComputedStyle(document.querySelector('.gallery .' + kind)).borderTopStyle"
    assert [page.evaluate(frame, kind) for kind in ("hit", "miss", "ghost")] == ["solid", "dashed", "dotted"]


def test_labels_at_the_ends_do_not_cover_each_other(view):
    page, _, _ = view(1200)
    boxes = [text.bounding_box() for text in page.locator("svg.chart text.end").all()]
    assert len(boxes) == len(DISPUTES)
    edges = sorted((box["y"], box["y"] + box["height"]) for box in boxes)
    assert all(below[0] >= above[1] - 1 for above, below in pairwise(edges))
    chart = page.locator("svg.chart").bounding_box()
    assert max(box["x"] + box["width"] for box in boxes) <= chart["x"] + chart["width"]


def test_it_prints(view):
    page, _, complaints = view(1200)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 960})  # A4 within its margins
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    assert page.pdf().startswith(b"%PDF-")
    assert complaints == []
