"""The gallery: each opened trigger pixel by pixel, with label, answer and what it counted as; capped."""

import re
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import pytest
from forge import Play, cast
from PIL import Image
from report_samples import HOSTILE, Tree, dependent, hostile, named_cast, reported, stranger

from wmproto.report import render
from wmproto.report.gallery import pictures, png_uri


def test_the_gallery_shows_label_answer_and_what_it_counted_as():
    each = hostile()
    shown, left_out = pictures(each, most=64)
    of = named_cast()
    assert (len(shown), left_out) == (32, 0)
    for i, picture in enumerate(shown):
        assert picture.index == i
        assert picture.label == HOSTILE[of.label(i)]
        assert picture.answer == HOSTILE[(of.label(i) + (i in (1, 2, 3))) % len(HOSTILE)]
        assert picture.counted == ("ghost" if of.ghost(i) else "miss" if i in (1, 2, 3) else "hit")
    tree = Tree(render([each]))
    assert sorted(li["class"] for li in tree.all("li") if "class" in li) == sorted(p.counted for p in shown)


def test_no_answer_is_said_to_be_none():
    each = reported(Play(cast(), lambda _: None).whole(1, "NOT SHOWN"))
    assert {picture.answer for picture in pictures(each, most=64)[0]} == {None}
    assert "answer none" in Tree(render([each])).words


def test_the_gallery_is_capped_and_says_how_many_are_left_out():
    of = cast(n=96)
    each = reported(Play(of).whole(6, "NOT SHOWN"))
    tree = Tree(render([each]))
    assert len(tree.all("img")) == 64
    assert "32 more opened leaves are left out; the page shows 64 of each dispute." in tree.words
    assert "left out" not in Tree(render([stranger()])).words.replace("can be left out", "")


def test_leaves_that_do_not_count_are_not_shown():
    assert len(Tree(render([dependent()])).all("img")) == dependent().audit.outcome.evidence.asked < 32


def decoded(uri):
    return Image.open(BytesIO(b64decode(uri.removeprefix("data:image/png;base64,"))))


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 1), (28, 28, 1), (2, 3, 3), (96, 96, 3)])
def test_a_picture_is_shown_pixel_by_pixel(shape):
    data = bytes(i * 7 % 256 for i in range(shape[0] * shape[1] * shape[2]))
    image = decoded(png_uri(data, shape))
    assert image.size == (shape[1], shape[0])
    assert image.tobytes() == data


@pytest.mark.parametrize("shape", [(97, 4, 1), (1, 87381, 3), (262144, 1, 1)])
def test_a_large_picture_is_shown_smaller(shape):
    assert max(decoded(png_uri(bytes(shape[0] * shape[1] * shape[2]), shape)).size) == 96


@pytest.mark.parametrize("shape", [(4, 4, 2), (4, 4, 4), (16,), (4, 4), (2, 2, 2, 1)])
def test_what_is_no_picture_is_said_to_be_none(shape):
    assert png_uri(bytes(16), shape) is None
    of = named_cast(("a", "b"), n=16, shape=shape)
    tree = Tree(render([reported(Play(of).whole(1, "NOT SHOWN"))]))
    assert tree.all("img") == []
    assert tree.words.count("no picture") == 16


def test_a_large_picture_is_announced():
    of = named_cast(("a", "b"), n=16, shape=(120, 4, 1))
    assert "larger than 96 pixels" in render([reported(Play(of).whole(1, "NOT SHOWN"))])
    assert "larger than" not in render([hostile()])


def test_hit_miss_and_ghost_differ_without_colour():
    style = (Path(render.__code__.co_filename).parent / "templates" / "report.css").read_text()
    borders = [re.search(rf"\.gallery \.{kind}, .*border: 3px (\w+)", style)[1] for kind in ("hit", "miss", "ghost")]
    assert borders == ["solid", "dashed", "dotted"]
