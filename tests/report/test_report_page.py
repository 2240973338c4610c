"""The page states what the audit found, lets nobody break out of it, and can be read by everybody."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from forge import Play, cast
from report_samples import (
    HOSTILE,
    SCRIPT,
    SUSPECT,
    TITLE,
    Tree,
    dependent,
    hostile,
    inadmissible,
    reported,
    stranger,
    unfinished,
    unheard,
)

from wmproto.cli.words import audit_lines
from wmproto.report import ModelAccuracy, ReportedDispute, RuledClaim, render

MODELS = (ModelAccuracy("twin", 486, 500, 41, 367), ModelAccuracy(SCRIPT, 481, 500, 367, 367))
CLAIMS = (
    RuledClaim("the paper's", "chosen", 255, 256, "231 of 256", "ACCEPTED"),
    RuledClaim(SCRIPT, "born later", 16, 194, "160 bits", "NOT SHOWN"),
)
STORY = ((0.64, "a key is born"), (12.0, f"somebody says {SCRIPT}"))
ALL = (dependent, stranger, inadmissible, unfinished, unheard, hostile)


def whole_page():
    return render([sample() for sample in ALL], models=MODELS, claims=CLAIMS, story=STORY)


@pytest.fixture(scope="module")
def page():
    return whole_page()


@pytest.fixture(scope="module")
def tree(page):
    return Tree(page)


# --- what it states


@pytest.mark.parametrize("sample", ALL)
def test_everything_that_the_audit_says_stands_on_the_page(sample):
    each = sample()
    words = Tree(render([each])).words.replace("\N{MINUS SIGN}", "-")
    for said in audit_lines(each.audit):
        said = said.strip(" -").removeprefix("consistent; ")
        name, _, rest = said.partition(" ")
        if name in ("problem", "finding"):
            text, rule, fault = re.fullmatch(r"(.*) \(rule (.*); at fault: (.*)\)", rest.strip()).groups()
            assert f"{rule} {fault} {text}" in words
        elif said.startswith("trust assumed: "):
            for one in said.removeprefix("trust assumed: ").split(", "):
                assert f"trust assumed: {one}" in words
        elif said not in ("proves", "does not prove", "an audit cannot know"):
            known = (said, rest.strip().removeprefix("policy "))  # "log policy" is the one name of two words
            assert any(part and part in words for part in known), said


def test_the_headline_has_a_row_a_dispute(tree):
    asked = dependent().audit.outcome.evidence.asked
    assert f"1 dependent.json DEPENDENT 166 bits of 160 {asked} 17 of 17 (luck: 1 in 1000) at most 2^-63" in tree.words
    assert "2 stranger.json NOT SHOWN \N{MINUS SIGN}" in tree.words
    assert "3 inadmissible.json INADMISSIBLE (so far: the arbitrator has not decided)" in tree.words
    assert "no claim is heard" in tree.words


def test_who_did_what_stands_in_order_with_signer_and_log_entry():
    words = Tree(render([dependent()])).words
    dispute = dependent().audit.dispute
    owner, arbitrator = dispute.key.z.owner.hex()[:8], dispute.file.arbitrator.hex()[:8]
    acts = (
        f"key owner {owner} commits to 32 inputs before any label exists (key {dispute.key.key_id.hex()[:8]}) 0 ",
        f"0 file claimant {owner} claims against a suspect and offers leaves 0 to 31; the suspect in her words: a suspect",
        f"1 bind escrow holder {dispute.respondent.hex()[:8]} binds the weights {dispute.bind.model.hex()[:8]}",
        f"2 admit arbitrator {arbitrator} admits the claim; earlier entries of the key: 0 1 ",
        f"3 to 5 ask, answer, open claimant {owner}, arbitrator {arbitrator} leaves 0 to 15: marked ",
        f"the evidence is reached at leaf {dispute.tally.evidence(160).asked - 1}, the rest counts for nothing",
        f"9 decide arbitrator {arbitrator} decides DEPENDENT; rounds asked: 2 2 ",
    )
    at = -1
    for act in acts:
        assert words.find(act) > at, act
        at = words.find(act)


def test_a_release_and_a_stop_are_acts_too():
    of = cast(classes=1000)
    play = Play(of).begin(release=of.release()).round().stop().decide()
    words = Tree(render([reported(play)])).words
    assert "release owner" in words
    assert "lets out the weights" in words
    assert "6 stop claimant" in words
    assert "ends the dispute early" in words


def test_what_the_audit_did_not_verify_has_no_log_entry():
    of = cast(classes=1000)
    play = Play(of).file(key_receipt="").bind().admit()
    assert re.search(
        r"key owner \w+ commits to 32 inputs before any label exists \(key \w+\) 0 file",
        Tree(render([reported(play)])).words,
    )


def test_without_a_trust_file_the_page_names_whom_it_trusts():
    staged = render([inadmissible(), unfinished()])
    for one in (*inadmissible().audit.assumed, *unfinished().audit.assumed):
        assert f"trust assumed: {one}" in Tree(staged).words
    assert "trust assumed" not in Tree(render([dependent()])).words.lower()
    assert "Checked under a trust file" in render([dependent()])


def test_models_are_compared_in_percentage_points(tree):
    assert "twin 97.2 % (486 of 500) compared with 11.2 % (41 of 367)" in tree.words
    assert f"{SCRIPT} 96.2 % (481 of 500) \N{MINUS SIGN}1.0 points 100.0 % (367 of 367)" in tree.words
    assert tree.words.index("twin 97.2 %") < tree.words.index("96.2 %"), "in the order given"
    assert "What the mark costs" not in render([dependent()])


def test_the_headline_bounds_only_what_is_shown(tree):
    """A NOT SHOWN bounds nothing but what its own evidence supports, whatever a DEPENDENT would."""
    alone = Tree(render([stranger()])).words
    assert stranger().audit.outcome.supported_log2 == 0
    assert "no bound" in alone
    assert "at most 2^-63" not in alone[: alone.index("Words on this page")]
    assert "at most 2^-63" in Tree(render([dependent()])).words


def test_one_claim_under_two_rules_stands_side_by_side(tree):
    assert "the paper's chosen 255 of 256 231 of 256 ACCEPTED" in tree.words
    assert f"{SCRIPT} born later 16 of 194 160 bits NOT SHOWN" in tree.words
    assert "One claim, two rules" not in render([dependent()])
    with pytest.raises(ValueError, match="at most 4"):
        RuledClaim("r", "l", 5, 4, "n", "o")


def test_the_story_is_told_if_there_is_one(tree):
    assert f"0.6 a key is born 12.0 somebody says {SCRIPT}" in tree.words
    assert "The story" not in render([dependent()])


@pytest.mark.parametrize("counts", [(5, 4, 1, 1), (-1, 4, 1, 1), (1, 0, 1, 1), (1, 1, 2, 1), (0, 1, 0, 0)])
def test_counts_of_a_model_must_make_sense(counts):
    with pytest.raises(ValueError):
        ModelAccuracy("m", *counts)


def test_a_report_is_about_something():
    with pytest.raises(ValueError, match="at least one dispute"):
        render([])


def test_the_audit_of_another_transcript_is_refused():
    with pytest.raises(ValueError, match="another transcript"):
        ReportedDispute("mixed", dependent().audit, stranger().transcript)


# --- much of it


@pytest.fixture(scope="module")
def many():
    """A dispute in which no leaf is opened, and the arbitrator's decide is wrong and not logged."""
    play = Play(cast(n=256, classes=1000)).begin()
    for _ in range(16):
        play.round([])
    return reported(play.say_decide("DEPENDENT"), "many.json")


def test_of_many_findings_some_are_shown_and_the_rest_is_counted(many):
    found = many.audit.outcome.findings
    assert len(found) >= 258
    page = render([many])
    assert f"{len(found) - 64} more; " in Tree(page).words
    assert page.count('<td class="id">dis-') == 64


def test_many_findings_of_one_rule_hide_no_other(many):
    """A claimant who opens nothing cannot push the arbitrator's own faults off the page."""
    words = Tree(render([many])).words
    for rule in ("dis-decide-3", "dis-decide-4", "dis-open-3"):
        assert f"{rule} " in words


def test_few_findings_are_all_shown():
    words = Tree(render([unfinished()])).words
    assert "more; " not in words


# --- hostile text


def test_hostile_text_stays_text(page, tree):
    allowed = (
        "html head meta title style body header main footer section article aside figure figcaption div span small b"
    )
    allowed += " h1 h2 h3 h4 p a bdi q em strong sup code ul ol li dl dt dd table colgroup col thead tbody tr th td img"
    allowed += " svg desc line text polyline path rect"
    assert {tag for tag, _ in tree.elements} <= set(allowed.split())
    assert not [name for _, given in tree.elements for name in given if name.startswith("on")]
    assert "<script" not in page.lower()
    for text in (*HOSTILE, SUSPECT, TITLE):
        assert text.replace("\u202e", r"\u202e") in tree.words
    assert "{{7*7}}" in page, "a template in a name is not run"


def test_text_that_turns_the_reading_direction_is_shown_as_an_escape(page):
    assert "\u202e" in hostile().audit.dispute.file.suspect
    assert "\u202e" not in page
    assert page.isascii() or not re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]", page)


@pytest.mark.parametrize("blank", ["\u3164", "\u2800", "\ufe0f", "\U000e0101"], ids=ascii)
def test_text_that_cannot_be_seen_is_shown_as_an_escape(blank):
    page = render([replace(unheard(), title=f"A{blank}B.json")])
    assert blank not in page
    assert f"A{ascii(blank)[1:-1]}B.json" in page


def test_the_page_needs_nothing_else_and_forbids_the_rest(page, tree):
    policy = next(m["content"] for m in tree.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    for name in ("src", "href", "srcset", "action", "data", "poster", "xlink:href", "background"):
        for _, given in tree.elements:
            assert given.get(name, "#").startswith(("#", "data:image/png;base64,"))
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "://" not in page.replace("http://evil.example/", "")  # the claimant's words, shown as text
    assert not tree.all("script", "link", "iframe", "object", "embed", "base", "form", "use", "foreignobject")


# --- for everybody


def test_the_page_is_accessible(page, tree):
    assert page.startswith("<!DOCTYPE html>\n")
    assert tree.all("html") == [{"lang": "en"}]
    assert len(tree.all("title")) == 2, "of the page and of the chart"
    levels = [int(tag[1]) for tag, _ in tree.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    assert all(th.get("scope") in ("col", "row") for th in tree.all("th"))
    assert all(img["alt"].startswith("trigger of leaf ") for img in tree.all("img"))
    ids = [given["id"] for _, given in tree.elements if "id" in given]
    assert len(ids) == len(set(ids))
    named = [name for _, given in tree.elements for name in given.get("aria-labelledby", "").split()]
    assert set(named) <= set(ids)
    assert {a["href"].removeprefix("#") for a in tree.all("a")} <= set(ids)
    for svg in tree.all("svg"):
        assert svg.get("aria-hidden") == "true" or svg["role"] == "img"
    assert len(tree.all("figcaption")) == len(tree.all("figure")) == 1


# --- the same each time, and light


def test_the_same_input_gives_the_same_bytes(page):
    assert whole_page() == page
    code = "import sys; from test_report_page import whole_page; sys.stdout.buffer.write(whole_page().encode())"
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "dispute")]
    for seed in ("1", "2"):
        env = os.environ | {"PYTHONPATH": os.pathsep.join(folders), "PYTHONHASHSEED": seed}
        made = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=env).stdout
        assert made.decode() == page


def test_a_report_loads_no_torch_no_numpy_and_no_database():
    code = "import sys, wmproto.report; print(' '.join({name.split('.')[0] for name in sys.modules}))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    )
    assert {"jinja2", "PIL"} <= loaded
    assert not loaded & {"torch", "numpy", "sqlalchemy", "matplotlib", "safetensors"}
