"""Nothing that was said once serves a second time: answers, openings, leaves, evidence, whole transcripts (R1, R10)."""

import json

import pytest
from forge import ARBITRATOR, OTHER, OWNER, REFUSED, RESPONDENT, STRANGER, Play, cast, found, opening, resigned, truth
from world import seed

from wmproto.commitment.statement import verify_key
from wmproto.dispute.admission import counted, first_free
from wmproto.dispute.replay import replay
from wmproto.errors import SignatureError, VerificationError
from wmproto.verdict.closed_form import floor_log2_evidence
from wmproto.wire.profile import WMPROTO_1


def refused(play, rule):
    with pytest.raises(VerificationError) as err:
        play.audit()
    assert err.value.rule == rule


@pytest.fixture
def of():
    """64 leaves, 1,000 classes: a thief is DEPENDENT after two rounds."""
    return cast(n=64, classes=1000)


def thieves(of, **filed):
    return Play(of).whole(2, "DEPENDENT", **filed)


def free(of, size=None):
    return first_free(counted(of.log.kept[:size], key=of.key, log=of.log.vkey), of.key.profile)


# --- an old transcript against a new suspect -------------------------------------------------------------------------


@pytest.mark.parametrize("liars", [{OWNER}, {RESPONDENT}, {OWNER, RESPONDENT}], ids=["owner", "respondent", "both"])
@pytest.mark.parametrize("field", ["model", "holder"])
def test_an_old_transcript_does_not_serve_against_a_new_suspect(of, liars, field):
    """bind names other weights; whoever lies chains and signs anew what is his own to sign, all others' words are old."""
    old = thieves(of)
    new = old.fork()
    new.lines, new.link = [], None
    for line in old.lines:
        body = json.loads(line.message.payload)
        if line.kind == "bind":
            body["predicate"][field] = {"model": seed("other weights").hex(), "holder": "respondent"}[field]
        signer = next((s for s in liars if s.public == line.message.signer), None)
        if line.kind == "bind":
            signer = RESPONDENT
        if signer is None:
            new.add(line.kind, line.message, line.attached)
        else:
            body["predicate"] |= {"previous": new.link.hex() if new.link else None, "seq": len(new.lines)}
            new.add(line.kind, resigned(line.message, lambda _, b=body: b, signer), line.attached)
        if line.receipts:
            new.logged(line.receipts)
    refused(new, "dis-chain-2")


def test_another_suspect_has_another_name_and_a_replay_knows_it(of):
    play = thieves(of)
    other = cast(n=64, classes=1000)
    again = Play(other).file().bind(model=seed("other weights")).admit()
    settings = {"batch": 1, "dtype": "float32", "threads": 1}
    libraries = [{"digest": "00" * 32, "name": "torch", "version": "9"}]
    third = Play(cast(n=64, classes=1000)).file().bind().admit(settings=settings | {"libraries": libraries})
    assert len({p.live().suspect_id for p in (play, again, third)}) == 3
    with pytest.raises(VerificationError) as err:
        replay(play.parsed(), play.live(), of.known(of.thief()), model=seed("other weights"))
    assert err.value.rule == "dis-replay-1"


# --- answers of one dispute in another -------------------------------------------------------------------------------


def test_answers_are_not_moved_from_one_dispute_to_another(of):
    """The thief's answers to the same leaves of the same key, signed by the same arbitrator, in the stranger's dispute."""
    guilty = thieves(of)
    innocent = Play(cast(n=64, classes=1000), lambda i: 0).file().bind(model=seed("innocent")).admit()
    innocent.ask()
    moved = innocent.fork().add("answer", guilty.lines[4].message)
    refused(moved, "dis-chain-2")
    opened = moved.fork().open()
    refused(opened, "dis-chain-2")


def test_answers_are_not_moved_from_one_round_to_another(of):
    play = Play(of).begin().round().ask()
    refused(play.fork().add("answer", play.lines[4].message), "dis-chain-2")


def test_answers_of_one_settlement_do_not_serve_another(of):
    """The same file, bind and weights: only the settings of admit differ."""
    one = Play(of).file().bind().say_admit()
    other = Play(of).file().bind().say_admit(settings={"batch": 1, "dtype": "float32", "threads": 1, "libraries": [
        {"digest": "00" * 32, "name": "x", "version": "1"}]})  # fmt: skip
    for play in (one, other):
        play.log_admit().ask()
    one.answer()
    refused(other.add("answer", one.lines[-1].message), "dis-chain-2")


def test_openings_of_one_dispute_do_not_serve_another(of):
    play = thieves(of)
    later = Play(of).file(32, 32).bind().admit([play.logged_entry("admit"), play.logged_entry("decide")])
    later.ask().answer()
    refused(later.add("open", play.lines[5].message), "dis-chain-2")


def test_a_decide_of_one_dispute_does_not_end_another(of):
    play = thieves(of)
    later = Play(of).file(32, 32).bind().admit([play.logged_entry("admit"), play.logged_entry("decide")])
    refused(later.fork().add("decide", play.lines[-1].message), "dis-chain-2")
    refused(later.fork().say_decide(admit=play.leaf("admit")), "dis-decide-1")


# --- another key, another owner --------------------------------------------------------------------------------------


def test_a_transcript_does_not_speak_of_another_key(of):
    play = thieves(of)
    other = cast(n=64, classes=1000, name="other", log=of.log)
    swapped = play.fork()
    swapped.lines[0].attached = [other.key.envelope]
    refused(swapped, "dis-file-2")


def test_an_outsider_cannot_claim_with_the_owners_statement(of):
    with pytest.raises(SignatureError) as err:
        Play(of).file(by=STRANGER).audit()
    assert err.value.rule == "dis-file-4"


def test_leaves_that_were_opened_are_worth_nothing_to_an_outsider(of):
    """Who saw openings makes a key of his own with the same root and context, so that he can open the same leaves.

    Every opening verifies; but key_id hangs on the owner's name in Z, so all labels are drawn again.
    """
    thieves(of)
    theirs = cast(n=64, classes=1000)
    statement = resigned(of.key.envelope, lambda v: v["predicate"].update({"owner": STRANGER.public.hex()}), STRANGER)
    theirs.key, theirs.owner = verify_key(statement, profile=WMPROTO_1), STRANGER
    theirs.log.add("key", statement)
    claim = Play(theirs, of.thief())  # the suspect answers as it did
    claim.begin().round().round().round().round()
    audited = claim.audit()
    assert audited.outcome.evidence.unopened == 0
    assert audited.outcome.evidence.asked == 64
    assert audited.outcome.evidence.wealth.hits <= 1
    assert audited.outcome.verdict == "NOT SHOWN"
    assert found(audited) == truth(claim)


def test_inputs_that_were_opened_are_worth_nothing_in_another_key(of):
    """The same pictures under another secret: other leaf keys, other labels."""
    theirs = cast(n=64, classes=1000, name="copied", owner=STRANGER)
    hits = sum(of.label(i) == theirs.label(i) for i in range(64))
    assert hits <= 2


# --- the same leaves a second time -----------------------------------------------------------------------------------


def test_a_leaf_is_asked_once_in_a_dispute(of):
    refused(Play(of).begin().round().ask([*range(16)]), "dis-ask-1")
    refused(Play(of).begin().round().ask([15, *range(17, 32)]), "dis-ask-1")


def test_leaves_of_an_earlier_dispute_are_taken(of):
    first = thieves(of, count=32)
    both = [first.logged_entry("admit"), first.logged_entry("decide")]
    assert free(of) == 32
    for start in (0, 16):
        again = Play(of).file(start, 32).bind(model=seed("other")).admit(both).round().round()
        audited = again.audit()
        assert [(p.rule, p.text) for p in audited.outcome.problems] == [
            ("dis-taken-2", f"start {start}: leaves below 32 are taken")
        ]
        assert audited.outcome.verdict == "INADMISSIBLE"
        assert found(audited).dependent  # and would be DEPENDENT else


def test_leaves_of_an_earlier_dispute_are_taken_even_if_it_is_hidden(of):
    first = thieves(of, count=32)
    again = Play(of).file(0, 32).bind(model=seed("other")).admit().round().round().decide("DEPENDENT")
    assert again.audit(of.trust).outcome.verdict == "DEPENDENT"  # without a copy nobody can know, and the words say so
    assert again.audit(of.trust, of.log.copy()).outcome.verdict == "INADMISSIBLE"
    assert first.audit(of.trust, of.log.copy()).outcome.verdict == "DEPENDENT"


def test_a_file_serves_once(of):
    """The same file, admitted a second time after the first dispute was ended without a leaf."""
    first = Play(of).begin(count=32).stop().decide()
    both = [first.logged_entry("admit"), first.logged_entry("decide")]
    assert free(of) == 0
    again = Play(of)
    again.start, again.count = 0, 32
    again.add("file", first.lines[0].message, first.lines[0].attached).bind().admit(both).round().round()
    assert [(p.rule, p.fault) for p in again.audit().outcome.problems] == [("dis-admit-9", "arbitrator")]
    assert free(of) == 0  # and it takes nothing
    hidden = Play(of)
    hidden.start, hidden.count = 0, 32
    hidden.add("file", first.lines[0].message, first.lines[0].attached).bind(model=seed("x")).admit().round().round()
    hidden.decide("DEPENDENT")
    assert hidden.audit(log_copy=of.log.copy()).outcome.verdict == "INADMISSIBLE"


def test_many_admits_of_one_file_burn_and_count_once(of):
    """The arbitrator whom the owner once named goes on admitting her old file: no leaf is taken, no list fills up."""
    first = Play(of).begin(count=32).round().stop().decide()
    assert free(of) == 16
    for n in range(20):
        again = Play(of)
        again.start, again.count = 0, 32
        again.add("file", first.lines[0].message, first.lines[0].attached).bind(model=seed(f"model {n}"))
        again.say_admit([first.logged_entry("admit")] * (n % 2))
        of.log.add("admit", again.lines[-1].message)
        if n % 3 == 0:
            of.log.add("decide", again.say_decide(rounds=0).lines[-1].message)
    assert free(of) == 16
    assert list(counted(of.log.kept, key=of.key, log=of.log.vkey)) == [first.leaf("admit"), first.leaf("decide")]
    honest = Play(of).file(16, 32).bind().admit([first.logged_entry("admit"), first.logged_entry("decide")])
    honest.round().round().decide("DEPENDENT")
    assert honest.audit(of.trust, of.log.copy()).outcome.verdict == "DEPENDENT"


# --- evidence is never carried over ----------------------------------------------------------------------------------


def test_two_disputes_that_almost_suffice_do_not_suffice_together(of):
    """16 hits each: 2^156 and 2^156 of the 2^160 asked for, and still each starts at 1 (dis-taken-3)."""
    marked = [i for i in range(64) if not of.ghost(i)]
    first = Play(of, of.thief([i for i in marked if i >= 16]))
    first.begin(count=16).round().decide()
    second = Play(of).file(16, 16).bind().admit([first.logged_entry("admit"), first.logged_entry("decide")])
    second.round().decide()
    one, two = first.audit(of.trust).outcome, second.audit(of.trust, of.log.copy()).outcome
    assert (one.verdict, two.verdict) == ("NOT SHOWN", "NOT SHOWN")
    assert one.problems == two.problems == ()
    both = one.evidence_log2 + two.evidence_log2
    assert both > 160 > max(one.evidence_log2, two.evidence_log2)
    n, m = two.evidence.wealth.n, two.evidence.wealth.hits
    assert two.evidence_log2 == floor_log2_evidence(1000, n, m)


def test_a_dispute_restarted_after_a_decide_with_fewer_rounds_starts_at_one(of):
    """The arbitrator frees leaves that were opened. The new dispute is one more start, its evidence its own."""
    play = Play(of).begin(count=16).round()
    lie = play.fork().say_decide(rounds=0)
    refused(lie, "dis-decide-1")
    of.log.add("decide", lie.lines[-1].message)
    assert free(of) == 0
    earlier = [play.logged_entry("admit"), lie.logged_entry("decide")]
    again = Play(of).file(0, 16).bind().admit(earlier).round().decide()
    outcome = again.audit(of.trust, of.log.copy()).outcome
    assert outcome.problems == ()  # left open, says the specification: the bound does not rest on what is taken
    assert outcome.verdict == "NOT SHOWN"
    assert outcome.evidence.asked == 16
    assert outcome.evidence_log2 == play.audit().outcome.evidence_log2
    assert outcome.assumptions.B == 128  # every start on the grid is counted


def test_starts_are_at_most_128():
    for n in (16, 32, 2048, 4096, 65536):
        grid = WMPROTO_1.start_grid(n)
        assert n // grid <= 128
        assert grid % 16 == 0


def test_a_cut_transcript_goes_on_only_over_its_own_chain(of):
    """What comes after the cut was said over one link: no other continuation fits, nor a second one behind the first."""
    play = Play(of).begin().round()
    one, other = play.fork().ask().answer().open(), play.fork().stop()
    for line in other.lines[-1:]:
        refused(one.fork().add(line.kind, line.message), "dis-chain-2")
    mixed = play.fork()
    mixed.lines += [one.lines[-3], one.lines[-1]]
    with pytest.raises(REFUSED):
        mixed.audit()


def test_a_second_continuation_is_seen_with_a_copy_of_the_log(of):
    """The claimant stops after the answer and it is decided; later she shows the same answer, opened."""
    play = Play(of).begin(count=32).round().ask().answer()
    stopped = play.fork().stop().decide()
    opened = play.fork().open()
    assert stopped.audit(of.trust, of.log.copy()).outcome.verdict == "NOT SHOWN"
    assert opened.audit(of.trust).outcome.findings == ()
    seen = opened.audit(of.trust, of.log.copy()).outcome
    assert seen.verdict == "DEPENDENT"  # the same bet, and her signed openings: true whatever was decided
    assert [(f.rule, f.fault) for f in seen.findings] == [("dis-log-5", "unknown")]


# --- the same key in two hands ---------------------------------------------------------------------------------------


def test_two_arbitrators_share_one_range(of):
    """What was filed before one arbitrator is taken before every other of the same log."""
    one = Play(of).begin(count=32)
    file = {"arbitrator": OTHER.public}
    two = Play(of).file(0, 32, **file).bind().say_admit([one.logged_entry("admit")], by=OTHER)
    of.log.add("admit", two.lines[-1].message)
    two.logged(of.log.receipts(two.admitted_leaves()))
    assert [p.text for p in two.audit().outcome.problems] == ["start 0: leaves below 32 are taken"]
    assert ARBITRATOR.public != OTHER.public


def test_an_opening_serves_at_its_own_place_alone(of):
    """The opening of a leaf that was a hit, shown for every other leaf of the round."""
    hit = next(i for i in range(16) if not of.ghost(i))
    for i in range(16):
        if i == hit:
            continue
        play = Play(of).begin().ask().answer([of.label(hit)] * 16).open(openings=[opening(of, hit, index=i)])
        assert play.audit().outcome.evidence.wealth.hits == 0
