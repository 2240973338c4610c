"""The machine with a memory says of each message what the machine itself took from it, and judges no other way."""

import re
from dataclasses import replace

import pytest
from forge import OTHER, PaperLog, Play, cast, found, truth
from world import seed

from wmproto.dispute.audit import replay_steps
from wmproto.dispute.machine import Dispute
from wmproto.dispute.outcome import decide
from wmproto.dispute.recorder import Recorder
from wmproto.dispute.tally import Tally
from wmproto.errors import VerificationError


def recorded(play):
    """What was said, and the error that ended it if there is one."""
    recorder, error = Recorder(), None
    try:
        replay_steps(play.parsed(), recorder)
    except VerificationError as err:
        error = err
    return recorder, error


def lines(play):
    recorder, error = recorded(play)
    assert error is None
    return [(s.kind, s.role, s.text) for s in recorder.said]


def test_a_whole_dispute_line_by_line():
    of = cast(32, 1000)
    play = Play(of).begin(release=of.release()).round().round().decide("DEPENDENT")
    recorder, _ = recorded(play)
    t = truth(play)
    texts = [s.text for s in recorder.said]
    assert texts[0].startswith('claims that "a suspect" depends on the key, leaves 0 to 31; arbitrator: ')
    assert texts[0].endswith(", key: entry 0, release: entry 1")
    assert texts[1] == f"binds the weights {seed('some model').hex()[:16]}"
    assert texts[2] == "admits, for 160 bits; earlier entries of the key: none"
    assert texts[3:5] == ["asks leaves 0 to 15", "answers 16 of 16"]
    assert f"evidence so far: {recorder.tally.evidence(160).wealth.floor_log2()} bits" in texts[8]
    told = [tuple(int(n) for n in re.findall(r"\d+", text)[1:4]) for text in (texts[5], texts[8])]
    ghosts = [sum(of.ghost(i) for i in range(first, first + 16)) for first in (0, 16)]
    assert told == [(16 - g, 16 - g, g) for g in ghosts], "round by round, marked, hits and ghosts"
    assert sum(16 - g for g in ghosts) >= t.marked  # after the leaf that fires the rest of the round is opened, too
    assert texts[9] == "decides DEPENDENT after 2 rounds"
    assert [s.entry for s in recorder.said] == [None, None, 2, *[None] * 6, 3]
    assert [s.n for s in recorder.said] == list(range(10))
    assert {s.role for s in recorder.said} == {"claimant", "escrow", "arbitrator"}
    assert all(not s.notes for s in recorder.said)


def test_it_comes_to_the_same_state_as_the_machine():
    for play in (Play(cast()).begin().round().stop().decide(), Play(cast()).begin().ask(), Play(cast()).file(start=7)):
        recorder, plain = Recorder(), Dispute()
        replay_steps(play.parsed(), recorder)
        replay_steps(play.parsed(), plain)
        assert decide(recorder) == decide(plain)
        assert (recorder.link, recorder.phase) == (plain.link, plain.phase)
        assert found(play.audit()).asked == 16 * recorder.rounds


def test_stops_holders_and_refusals():
    play = Play(cast(), answers=lambda i: None if i % 2 else 0).file().bind(holder="respondent").admit()
    play.ask().answer().open([0, 1]).stop().decide()
    said = lines(play)
    assert said[1][1] == "respondent"
    assert said[4][2] == "answers 8 of 16"
    assert said[5][2].startswith("opens 2: ")
    assert said[6] == ("stop", "claimant", "stops")
    assert said[0][2].endswith("no release")
    assert said[7][2] == "decides NOT SHOWN after 1 round"


def test_broken_rules_stand_with_the_message_that_broke_them():
    of = cast()
    off_grid = Play(of).file(start=8, count=16)
    recorder, _ = recorded(off_grid)
    assert [n.split(" (rule ")[1] for n in recorder.said[0].notes] == ["dis-range-1; at fault: claimant)"]
    withheld = Play(of).begin().ask().answer().open([0]).stop().decide("DEPENDENT")
    recorder, _ = recorded(withheld)
    notes = {s.kind: s.notes for s in recorder.said}
    assert len(notes["open"]) == 15
    assert all("finding: " in note for note in notes["open"])
    assert notes["file"] == notes["bind"] == notes["admit"] == notes["ask"] == notes["stop"] == []
    assert ["dis-decide-3" in note for note in notes["decide"]] == [True]
    early = Play(of).begin().decide()
    recorder, _ = recorded(early)
    assert ["dis-decide-2" in note for note in recorder.said[-1].notes] == [True]


class Watched(list):
    """A list that counts how many of its elements are looked at."""

    looked = 0

    def __iter__(self):
        Watched.looked += len(self)
        return super().__iter__()

    def __getitem__(self, at):
        found = super().__getitem__(at)
        Watched.looked += len(found) if isinstance(at, slice) else 1
        return found


def test_each_finding_is_looked_at_once_however_many_there_are(monkeypatch):
    """8,192 leaves of which none is opened took seconds, 65,536 minutes: each message walked all findings so far."""
    real = Tally.__init__

    def watched(self, *args):
        real(self, *args)
        self.findings = Watched()

    of = cast(n=512)
    play = Play(of).begin()
    for _ in range(31):
        play.round([])
    play.ask().stop()  # the machine puts a fork in the tally's place
    monkeypatch.setattr(Tally, "__init__", watched)
    monkeypatch.setattr(Watched, "looked", 0)
    recorder, error = recorded(play)
    assert error is None
    assert [len(s.notes) for s in recorder.said if s.kind in ("open", "stop")] == [16] * 32
    assert sum(len(s.notes) for s in recorder.said) == len(recorder.tally.findings) == 512
    assert len({note for s in recorder.said for note in s.notes}) == 512
    assert Watched.looked <= 2 * 512  # each once; once more for the fork


def test_whose_fault_a_problem_is_may_be_known_only_later():
    """The note that stands in an earlier line says what the machine says now, and is not said twice."""
    recorder = Recorder()
    lines = Play(cast()).file(start=8, count=16).bind().parsed().steps
    recorder.receive(lines[0].message, lines[0].attached)
    assert "at fault: claimant" in recorder.said[0].notes[0]
    recorder.problems = [replace(problem, fault="nobody") for problem in recorder.problems]
    recorder.receive(lines[1].message, lines[1].attached)
    assert ["at fault: nobody" in note for note in recorder.said[0].notes] == [True]
    assert recorder.said[1].notes == []


def test_receipts_that_do_not_hold():
    of = cast()
    other = PaperLog(of.log.signer, kept=[("key", OTHER.envelope(b"x")), ("key", of.key.envelope)])
    play = Play(of).file().bind().say_admit()
    other.add("admit", play.lines[-1].message)
    play.log_admit(other.receipts([play.leaf("admit")]))  # one receipt of two
    recorder, error = recorded(play)
    assert error is None
    assert recorder.said[2].entry is None
    assert ["dis-admit-5" in note for note in recorder.said[2].notes] == [True]


def test_what_is_false_leaves_no_line():
    of = cast()
    true = Play(of).begin().round()
    lies = {
        "another signer": true.fork().ask(by=OTHER),
        "another leaf": true.fork().ask(range(17, 33)),
        "out of order": true.fork().answer([0] * 16),
        "another arbitrator": true.fork().stop().say_decide(by=OTHER),
    }
    for name, play in lies.items():
        recorder, error = recorded(play)
        steps = len(play.lines)
        assert [s.kind for s in recorder.said] == [x.kind for x in play.lines[: steps - 1]], name
        assert str(error).startswith(f"step {steps - 1}: "), name


def test_a_decide_with_false_receipts_leaves_no_line():
    play = Play(cast()).begin().round().stop().say_decide()
    play.log.add("decide", play.lines[-1].message)
    play.logged(play.log.receipts([play.leaf("decide")]))
    recorder, error = recorded(play)
    assert error is not None
    assert error.rule == "dis-decide-4"
    assert recorder.said[-1].kind == "stop"


@pytest.mark.parametrize("words", ['a "quoted" name', "\u202ename", "é" * 64])
def test_the_parties_words_are_quoted_as_they_are(words):
    assert f'claims that "{words}" depends' in lines(Play(cast()).file(suspect=words))[0][2]
