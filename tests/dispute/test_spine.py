"""One honest dispute after the other: verdicts, resuming, taken leaves, trust, and a copy of the log."""

import pytest
from world import POLICY, World, make_release, model_of, seed

from wmproto.cli.words import audit_lines, audit_record, cannot_know, proves
from wmproto.crypto.signer import Signer
from wmproto.dispute.audit import audit
from wmproto.dispute.hold import hold
from wmproto.dispute.messages import Admit, Policy
from wmproto.dispute.roles import Arbitrator, Respondent
from wmproto.dispute.session import Session
from wmproto.dispute.sign import sign_message
from wmproto.dispute.tally import Finding
from wmproto.dispute.transcript import Transcript
from wmproto.errors import RaceError, StateError, TrustError
from wmproto.verdict.closed_form import floor_log2_evidence
from wmproto.wire.dsse import Statement


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_a_thief_is_found_dependent_and_anyone_can_recheck_it(world):
    release = world.released()
    outcome, transcript = world.hold(world.thief(), release=release, model=model_of(release))
    assert outcome.verdict == "DEPENDENT"
    assert outcome.decided
    assert not outcome.findings
    assert outcome.evidence.wealth.hits == outcome.evidence.wealth.n == 17
    assert outcome.evidence_log2 == floor_log2_evidence(1000, 17, 17) >= 160
    again = audit(transcript.to_bytes(), trust=world.trust)
    assert again.outcome == outcome
    assert again.assumed == ()
    assert again.dispute.release is not None


def test_the_evidence_is_what_the_labels_say(world):
    outcome, _ = world.hold(world.thief(lambda i: i % 3 > 0), count=64)
    labels, marked, hits, ghosts = world.labels(), 0, 0, 0
    suspect = world.thief(lambda i: i % 3 > 0)
    for i, (label, ghost) in enumerate(labels[: outcome.evidence.asked]):
        answer = suspect.answer(world.active.commitment.input(i))
        ghosts += ghost
        marked += not ghost
        hits += not ghost and answer == label
    assert (outcome.evidence.wealth.n, outcome.evidence.wealth.hits, outcome.evidence.ghosts) == (marked, hits, ghosts)


def test_a_stranger_is_not_shown_and_the_reader_sees_how_far_it_fell_short(world):
    outcome, transcript = world.hold(world.stranger_model())
    assert outcome.verdict == "NOT SHOWN"
    assert outcome.evidence.asked == 32
    assert outcome.supported_log2 == 0
    assert audit(transcript.to_bytes(), trust=world.trust).outcome == outcome


def test_without_trust_everybody_is_named_and_the_words_say_so(world):
    _, transcript = world.hold(world.thief())
    found = audit(transcript.to_bytes())
    assert [a.split()[0] for a in found.assumed] == ["log", "arbitrator", "owner", "respondent"]
    text = "\n".join(audit_lines(found))
    assert "consistent; trust assumed: log log.test/1+" in text
    assert "--log-copy" in text
    for wanted in ("L = 160", "K = 131072", "S = 2^24", "B = 128", "Q = 2^65", "theft", "dispute replay"):
        assert wanted in text
    assert audit_record(found)["verdict"] == "DEPENDENT"
    assert proves(found.outcome)[0].startswith("The answers that were signed for the bound weights depend")


@pytest.mark.parametrize("field", ["arbitrators", "owners", "respondents"])
def test_a_trust_file_that_does_not_name_somebody_refuses(world, field):
    _, transcript = world.hold(world.thief())
    trust = world.trust.model_copy(update={field: (Signer(seed("another")).public,)})
    with pytest.raises(TrustError) as err:
        audit(transcript.to_bytes(), trust=trust)
    assert err.value.exit_code == 1


def test_an_auditor_may_ask_for_more_bits_never_for_fewer(world):
    _, transcript = world.hold(world.thief())
    more = world.trust.model_copy(update={"bits": 400})
    found = audit(transcript.to_bytes(), trust=more).outcome
    assert (found.verdict, found.bits) == ("NOT SHOWN", 400)
    fewer = world.trust.model_copy(update={"bits": 20})
    assert audit(transcript.to_bytes(), trust=fewer).outcome.bits == 160


def test_a_policy_of_more_bits_counts(world):
    policy = Policy(bits=200, suspects_log2=40)
    outcome, _ = world.hold(world.thief(), policy=policy, count=64)
    assert outcome.bits == 200
    assert (
        outcome.evidence.wealth.n == outcome.evidence.wealth.hits == 21
    )  # 9.97 bits a hit, less the price of seven fractions
    assert outcome.assumptions.S == 1 << 40


class CutError(Exception):
    pass


def test_a_dispute_that_was_cut_off_goes_on_with_the_same_chain(tmp_path):
    (tmp_path / "whole").mkdir()
    whole = World(tmp_path / "whole")
    whole.hold(whole.thief(), count=48)
    assert len(whole.saved) >= 11
    for saves in range(1, len(whole.saved)):
        folder = tmp_path / str(saves)
        folder.mkdir()
        world = World(folder)
        kept = []

        def save(transcript, kept=kept, saves=saves):
            kept.append(transcript)
            if len(kept) == saves:
                raise CutError

        with pytest.raises(CutError):
            world.hold(world.thief(), count=48, save=save)
        reopened = Transcript.parse(kept[-1].to_bytes())
        outcome, resumed = world.hold(world.thief(), resume=reopened)
        assert outcome.verdict == "DEPENDENT"
        assert resumed.to_bytes() == whole.saved[-1].to_bytes()
        assert audit(resumed.to_bytes(), trust=world.trust).outcome == outcome


def test_an_audit_of_a_cut_transcript_never_says_more_than_the_whole_one(world):
    world.hold(world.thief(), count=48)
    for cut in world.saved:
        outcome = audit(cut.to_bytes(), trust=world.trust).outcome
        opened = sum(b'"predicateType":"tag:wmproto,2025:open/1"' in s.message.payload for s in cut.steps)
        assert (outcome.verdict == "DEPENDENT") == (opened >= 2)


def test_leaves_are_consumed_upwards(world):
    outcome, _ = world.hold(world.thief(), count=32)
    used = -(-outcome.evidence.asked // 16) * 16
    with pytest.raises(StateError, match=f"leaves below {used} are taken"):
        world.hold(world.thief(), start=0, count=16)
    outcome, transcript = world.hold(world.stranger_model(), start=used, count=16)
    assert outcome.verdict == "NOT SHOWN"
    world.log.export(world.path / "copy")
    checked = audit(transcript.to_bytes(), trust=world.trust, log_copy=(world.path / "copy").read_bytes())
    assert checked.log_size == len(list(world.log.entries()))
    assert checked.outcome == outcome
    assert len(checked.dispute.admit.earlier) == 2


def test_a_claim_without_a_release_is_possible_and_says_so(world):
    _, transcript = world.hold(world.thief())
    found = audit(transcript.to_bytes(), trust=world.trust)
    assert found.dispute.release is None
    assert "none: the claim stands without one" in "\n".join(audit_lines(found))


def test_weights_released_before_the_key_are_an_absolute_defence(tmp_path):
    class Earlier(World):
        def before_key(self):
            self.old = make_release(self.stranger, key_id=seed("k"), beta=seed("b"), receipt=b"x", name="old")
            self.log.submit("release", self.old)

    world = Earlier(tmp_path)

    class Defended(Respondent):
        def bind(self, dispute, model, prior=None):
            return super().bind(dispute, model, world.old)

    saved = []
    outcome = hold(
        claimant=world.claimant,
        release=None,
        respondent=Defended(world.respondent, "respondent"),
        arbitrator=Arbitrator(world.arbitrator, POLICY),
        log=world.log,
        model=model_of(world.old),
        suspect=world.thief(),
        words="older than the key",
        start=0,
        count=32,
        save=saved.append,
    )
    text = "the suspect's weights are older in the log than the labels"
    assert outcome.problems == (Finding("dis-order-3", "nobody", text),)
    assert audit(saved[-1].to_bytes(), trust=world.trust).outcome == outcome
    outcome = audit(saved[-1].to_bytes(), trust=world.trust).outcome
    assert outcome.verdict == "INADMISSIBLE"
    assert outcome.evidence.asked == 0


def test_a_file_is_admitted_once(world):
    """The named arbitrator admits an old file again after its dispute was decided: nothing more is taken."""
    outcome, transcript = world.hold(world.thief(), count=32)
    assert outcome.verdict == "DEPENDENT"
    again = Session(world.saved.append)
    for step in transcript.steps[:2]:
        again.say(step.message, step.attached)
    arbitrator = Arbitrator(world.arbitrator, POLICY)
    dispute = again.dispute
    admit = transcript.steps[2].message
    statement = Statement[Admit].parse(admit.payload, "admit")
    later = statement.predicate.model_copy(update={"earlier": (), "head": world.log.checkpoint().decode()})
    world.log.submit("admit", sign_message(later, key_id=world.key.key_id, signer=world.arbitrator))
    assert arbitrator._counted(dispute, world.log)[0] == 32
    outcome, transcript = world.hold(world.stranger_model(), start=32, count=32)
    assert outcome.problems == ()
    assert audit(transcript.to_bytes(), trust=world.trust).outcome == outcome


def test_another_end_of_a_dispute_is_seen_with_a_copy_of_the_log(world):
    """Equivocation: the claimant stops, NOT SHOWN is logged; later she shows the same answers followed by an open."""
    world.hold(world.thief(), count=32)
    whole = world.saved[-1]
    asked = [t for t in world.saved if len(t.steps) == 8][-1]  # two asks, one open, the second round answered
    world.log.export(world.path / "copy")
    copy = (world.path / "copy").read_bytes()
    audit(whole.to_bytes(), trust=world.trust, log_copy=copy)
    findings = audit(asked.to_bytes(), trust=world.trust, log_copy=copy).outcome.findings
    (found,) = [f for f in findings if f.rule == "dis-log-5"]
    assert (found.rule, found.fault) == ("dis-log-5", "unknown")  # whoever holds the file can cut it
    assert "a decide that this transcript lacks: DEPENDENT, rounds asked: 2" in found.text
    told = audit(asked.to_bytes(), trust=world.trust)
    assert any("only end of this dispute" in line for line in cannot_know(told))


def test_when_another_dispute_comes_in_between_the_range_is_freed(world):
    """Between reading the log and logging admit somebody else's admit of this key was logged."""

    class Racing:
        def __init__(self, log):
            self.log, self.raced = log, False

        def __getattr__(self, name):
            return getattr(self.log, name)

        def submit(self, kind, envelope):
            if kind == "admit" and not self.raced:
                self.raced = True
                world.hold(world.stranger_model(), count=16)
            return self.log.submit(kind, envelope)

    real, saved = world.log, []
    racing = Racing(real)

    def play(log, start):
        return hold(
            claimant=world.claimant,
            release=None,
            respondent=Respondent(world.respondent, "escrow"),
            arbitrator=Arbitrator(world.arbitrator, POLICY),
            log=log,
            model=seed("some model"),
            suspect=world.thief(),
            words="a suspect",
            start=start,
            count=32,
            save=saved.append,
        )

    with pytest.raises(RaceError):
        play(racing, 0)
    outcome = audit(saved[-1].to_bytes(), trust=world.trust).outcome
    assert (outcome.verdict, outcome.evidence.asked, outcome.findings) == ("NOT SHOWN", 0, ())
    assert play(real, 16).verdict == "DEPENDENT"
