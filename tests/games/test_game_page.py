"""The page of games says what the records say."""

import re

import pytest
from record_samples import Tree, alone, attack, evidence, failed, record, removal, rich, void

from wmproto.games.page import render

SECTIONS = (
    "played",
    "table-1",
    "figure-6",
    "matrix",
    "sweep",
    "points",
    "claims",
    "null",
    "piracy",
    "failures",
    "records",
)


def words(records, **options):
    return Tree(render(records, title="Sample", **options)).words


# --- what it says


def test_every_part_is_there_and_the_same_records_give_the_same_bytes(page, tree):
    headings = [attrs["aria-labelledby"] for tag, attrs in tree.tags if tag == "section"]
    assert headings == list(SECTIONS)
    assert render(rich(), title="Rich", missing=["cell 17 was not played"]) == page
    ids = [attrs["id"] for _, attrs in tree.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["href"][1:] for tag, attrs in tree.tags if tag == "a" and attrs["href"].startswith("#")} <= set(ids)


def test_the_paper_s_table_and_figure_stand_beside_what_was_measured(tree):
    for number in (
        "93.42 %",
        "93.81 %",
        "93.65 %",
        "74.01 %",
        "73.67 %",
        "73.62 %",
        "≈93.8 / 80",
        "≈73.7 / 24",
        "≈73.2 / 6",
    ):
        assert number in tree.words
    assert "NO-WM" in tree.words
    assert "test ≈93.8, trigger 95" in tree.words


def test_a_rate_has_its_interval_counts_and_seeds():
    said = words([removal(left=left, seed=seed, lr=0.1) for seed, left in ((1, 0), (2, 10))])
    assert "5.0 % [2.4, 9.0] 10 of 200; 2 seeds: 0 to 10.0" in said
    assert "0 % [0, 3.6] 0 of 100; 1 seed right" not in said
    assert "0 % [0, 3.6] 0 of 100; 1 seed" in words([removal(left=0)])


def test_no_rate_is_rounded_to_nothing_or_all():
    said = words(
        [record("functionality", right={"twin": 1, "victim": 9999}, hits={"twin": 0, "victim": 100}, test=10000)]
    )
    assert "<0.1 % [<0.1, 0.1] 1 of 10000" in said
    assert ">99.9 % [99.9, >99.9] 9999 of 10000" in said


def test_the_strongest_setting_is_shown_with_the_number_of_settings():
    said = words([removal(left=80, lr=0.125), removal(left=33, lr=0.25), removal(left=1, lost=90, lr=0.5)])
    assert "lr=0.25 of 3 settings, 2 within 5 points" in said
    assert "33.0 %" in said
    assert (
        "no setting within 5 points"
        not in said.partition("All numbers of")[2].partition("Against the learning rate")[0]
    )
    beyond = words([removal(left=1, lost=90, lr=0.5)])
    assert "the only setting no setting within 5 points" in beyond
    assert "+9.0 points; none within 5" in beyond


@pytest.mark.parametrize(
    ("lost", "left", "marked"),
    [(90, 1, ["beyond"]), (9, 1, ["won"]), (9, 99, [""]), (50, 1, ["won"]), (51, 1, ["beyond"])],
)
def test_the_matrix_marks_what_won_and_what_cost_too_much(lost, left, marked):
    tree = Tree(render([removal(lost=lost, left=left)], title="Sample"))
    assert [
        attrs["class"] for tag, attrs in tree.tags if tag == "td" and attrs.get("class") in ("won", "beyond", "")
    ] == marked


@pytest.mark.parametrize(("idle", "told", "loud"), [(False, True, False), (True, True, True), (False, False, True)])
def test_a_broken_game_is_told_loudly(idle, told, loud):
    said = words([record(adversary=alone("no-op"), won=idle), record(adversary=alone("cheater"), won=told)])
    assert ("Do not trust these games" in said) is loud
    assert ("NOT AS IT MUST BE" in said) is loud
    assert f"no-op lost {int(not idle)} of 1, cheater won {int(told)} of 1" in said


def test_what_failed_is_void_or_missing_is_told_with_its_reason(tree):
    assert "OutOfMemoryError: no room" in tree.words
    assert "the claim does not stand over the marked model itself" in tree.words
    assert "cell 17 was not played" in tree.words
    assert "1 void, 2 failed, 1 missing" in tree.words
    assert "mark-did-not-take" in tree.words


def test_long_lists_are_cut_and_say_so():
    said = words([failed(f"error {i}", seed=i) for i in range(230)], missing=[f"cell {i}" for i in range(205)])
    assert "error 199" in said
    assert "error 200" not in said
    assert "30 more; the records below hold them all." in said
    assert "5 more." in said


@pytest.mark.parametrize(
    "records",
    [
        [],
        [failed()],
        [void()],
        [removal()],
        [record("functionality", right={"victim": 9}, hits={"victim": 9}, scheme=None)],
        [record("false-claim", attack("x", "claim"), won=False, hits={"result": 3}, config={}, scheme=None)],
        [record("unforgeability", attack("y", "forgery"), won=False, evidence=evidence(False, -15))],
        [removal(lr="fast"), removal(lr=True, seed=2), removal(lr=0.0, seed=3)],
        [removal().model_copy(update={"scheme": None})],
        [record(adversary=attack("z"), accuracy=None, retention=None, evidence=None, won=None)],
        [removal(lost=-40, left=0), removal(lost=900, left=100, seed=2)],
        [removal(f"attack-{i}", lr=float(i + j + 1)) for i in range(40) for j in range(2)],
    ],
)
def test_any_records_make_a_page(records):
    tree = Tree(render(records, title="Sample"))
    assert [attrs["aria-labelledby"] for tag, attrs in tree.tags if tag == "section"] == list(SECTIONS)
    assert "nan" not in re.findall(r"[a-z]+", tree.words.lower())


def test_an_empty_page_says_that_there_is_nothing():
    said = words([])
    for part in (
        "Nothing was played",
        "The game was not played",
        "None of the four attacks",
        "No claim game",
        "There is none.",
    ):
        assert part in said


def test_mixed_versions_and_repeated_cells_are_told():
    other = removal(seed=2).model_copy(update={"versions": {"torch": "1.0"}})
    assert "Mixed:" in words([removal(), other])
    assert "Mixed:" not in words([removal(), removal(seed=2)])
    assert "1 more record of cells that stand here already: not counted" in words([removal(), removal()])


def test_pictures_have_words(tree):
    drawings = [attrs for tag, attrs in tree.tags if tag == "svg" and attrs.get("role") == "img"]
    ids = {attrs["id"] for _, attrs in tree.tags if "id" in attrs}
    assert len(drawings) > 15
    assert all(set(attrs["aria-labelledby"].split()) <= ids for attrs in drawings)
    assert all(attrs.get("role") == "img" or attrs.get("aria-hidden") for tag, attrs in tree.tags if tag == "svg")
    assert "RTAL: test" in tree.words
    assert "published 93.8 and 80" in tree.words


def test_bars_are_as_high_as_what_they_show():
    page = render([removal(left=25, victim=500, lost=0, lr=0.1, epochs=60)], title="Bars")
    heights = re.findall(r'<rect x="[\d.]+" y="[\d.]+" width="33.0" height="([\d.]+)"', page)
    ticks = re.findall(r'd="M[\d.]+,([\d.]+)h35" class="published"', page)
    assert [float(y) for y in ticks] == [46.4, 34.0] * 5  # 93.8 and 100 per cent, from 234 upwards
    assert heights == ["100.0", "200.0", "100.0", "50.0"]  # of 200: the victim's test and triggers, then the attack's
