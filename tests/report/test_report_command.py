"""``wmproto dispute report``: writes one page, or says in one line why not and leaves nothing behind."""

import json
import sys

import pytest
from forge import Play, cast, resigned_step

from wmproto.cli.main import entry
from wmproto.report import ReportedDispute, render


@pytest.fixture
def wmproto(tmp_path, monkeypatch, capsys):
    """Run the command in a folder of its own: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["wmproto", "dispute", "report", *args])
        with pytest.raises(SystemExit) as ended:
            entry()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def home(tmp_path):
    """one.json (DEPENDENT), two.json (inadmissible), trust.json, other-trust.json, log-copy.jsonl; false.json is false."""
    of = cast(n=64, classes=1000)
    one = Play(of).whole(2, "DEPENDENT")
    (tmp_path / "one.json").write_bytes(one.transcript())
    copy = of.log.copy()
    (tmp_path / "two.json").write_bytes(Play(of).begin(start=16, count=24).transcript())
    (tmp_path / "trust.json").write_bytes(of.trust.to_bytes())
    (tmp_path / "other-trust.json").write_bytes(of.trust.model_copy(update={"owners": (bytes(32),)}).to_bytes())
    (tmp_path / "log-copy.jsonl").write_bytes(copy)
    (tmp_path / "false.json").write_bytes(resigned_step(one, 3, lambda s: s["predicate"].update(seq=9)))
    return tmp_path


def test_a_page_about_several_transcripts_is_written(home, wmproto):
    code, out, err = wmproto("one.json", "two.json", "--out", "report.html")
    page = (home / "report.html").read_bytes()
    assert (code, err) == (0, ""), "the verdicts make no error"
    assert out == f"report.html: {len(page)} bytes\n  one.json: DEPENDENT\n  two.json: INADMISSIBLE\n"
    disputes = [ReportedDispute.of(name, (home / name).read_bytes()) for name in ("one.json", "two.json")]
    assert page.decode() == render(disputes)
    assert b"Trust assumed" in page


def test_trust_and_log_copy_are_used(home, wmproto):
    code, _, err = wmproto("one.json", "--trust", "trust.json", "--log-copy", "log-copy.jsonl", "--out", "report.html")
    page = (home / "report.html").read_text()
    assert (code, err) == (0, "")
    assert "Checked under a trust file" in page
    assert "shows it (--log-copy)" not in page, "nothing is left that a copy of the log would show"
    assert "a copy of the log of" in page
    assert "the copy&#39;s last" in page, "and how far the copy reaches"


def test_json_for_machines(wmproto, home):
    code, out, _ = wmproto("one.json", "one.json", "--json", "--out", "report.html")
    size = (home / "report.html").stat().st_size
    verdicts = [{"title": "one.json", "verdict": "DEPENDENT"}] * 2
    assert (code, json.loads(out)) == (0, {"bytes": size, "out": "report.html", "verdicts": verdicts})


def test_two_files_of_one_name_are_told_apart_by_their_folder(home, wmproto):
    (home / "b").mkdir()
    (home / "b" / "one.json").write_bytes((home / "one.json").read_bytes())
    _, out, _ = wmproto("one.json", "b/one.json", "two.json", "--out", "report.html")
    assert out.split("\n")[1:4] == ["  one.json: DEPENDENT", "  b/one.json: DEPENDENT", "  two.json: INADMISSIBLE"]


ERRORS = [
    (("one.json", "no.json"), 2, "there is no transcript at 'no.json'"),
    (("one.json", "false.json"), 1, "false.json: step 3: message 3 does not continue the chain"),
    (("one.json", "trust.json"), 3, "trust.json: transcript: "),
    (("one.json", "--trust", "no.json"), 2, "there is no trust file at 'no.json'"),
    (("one.json", "--trust", "one.json"), 3, "trust file: "),
    (("one.json", "--trust", "other-trust.json"), 1, "one.json: the trust file does not name the owner"),
    (("one.json", "--log-copy", "no.json"), 2, "there is no copy of the log at 'no.json'"),
    (("one.json", "--log-copy", "trust.json"), 3, "one.json: "),
    ((), 2, "missing argument 'TRANSCRIPTS'"),
]


@pytest.mark.parametrize(("args", "code", "words"), ERRORS)
def test_errors_name_the_file_and_leave_no_page(home, wmproto, args, code, words):
    found, out, err = wmproto(*args, "--out", "report.html")
    lines = err.splitlines()
    assert (found, out) == (code, ""), err
    assert lines[0].startswith(f"wmproto: error: {words}"), err
    assert all(line.startswith(("rule: ", "hint: ")) for line in lines[1:]), err
    assert not (home / "report.html").exists()


def test_false_evidence_names_rule_and_fault(home, wmproto):
    _, _, err = wmproto("false.json", "--out", "report.html")
    assert "rule: dis-chain-2; at fault: unknown\n" in err


def test_nothing_is_overwritten(home, wmproto):
    (home / "report.html").write_text("mine")
    code, out, err = wmproto("one.json", "--out", "report.html")
    assert (code, out) == (2, "")
    assert err.startswith("wmproto: error: report.html exists already\nhint: ")
    assert (home / "report.html").read_text() == "mine"


def test_the_folder_must_be_there_and_out_be_given(home, wmproto):
    assert wmproto("one.json", "--out", "no/report.html")[::2] == (
        2,
        "wmproto: error: no is no folder\nhint: make the folder first\n",
    )
    code, _, err = wmproto("one.json")
    assert code == 2
    assert "missing option '--out'" in err


@pytest.mark.parametrize("missing", ["jinja2", "PIL"])
def test_without_the_extra_it_says_what_to_install(home, wmproto, monkeypatch, missing):
    from wmproto.cli import dispute_report

    monkeypatch.setattr(dispute_report, "find_spec", lambda name: None if name == missing else object())
    code, _, err = wmproto("one.json", "--out", "report.html")
    assert code == 2
    assert err == "wmproto: error: this needs the extra 'report'\nhint: pip install 'wmproto[report]'\n"
