"""dis-policy-*: under a log policy every checkpoint of a dispute counts, or the audit refuses it."""

import pytest
from forge import ARBITRATOR, LOG, RESPONDENT, STRANGER, Play, b64, cast, with_extra_line
from watchers import WatchedLog, Watcher, policy
from world import model_of

from wmproto.cli.words import audit_lines, audit_record
from wmproto.dispute.audit import audit
from wmproto.dispute.hold import hold
from wmproto.dispute.messages import Policy, message_kind
from wmproto.dispute.roles import Arbitrator, Claimant, Respondent
from wmproto.dispute.transcript import Transcript
from wmproto.dispute.words import cannot_know
from wmproto.errors import SignatureError, TrustError
from wmproto.registry.note import LogKey


@pytest.fixture
def watchers():
    return [Watcher(name) for name in ("ann", "bob", "cem")]


@pytest.fixture
def watched(watchers):
    return cast(n=32, classes=1000, log=WatchedLog(watchers))


def whole(of):
    """A whole dispute with a release, as honest parties hold it; its bytes."""
    saved = []
    assert held(of, saved).verdict == "DEPENDENT"
    return saved[-1].to_bytes()


def held(of, saved, policy=None, resume=None, suspect=None):
    release = of.release() if resume is None else resume.steps[0].attached[1]
    return hold(
        claimant=Claimant(of.key, of.leaves, of.owner),
        release=release,
        respondent=Respondent(RESPONDENT, "escrow"),
        arbitrator=Arbitrator(ARBITRATOR, Policy(bits=0, suspects_log2=24)),
        log=of.log,
        model=model_of(release),
        suspect=suspect or of.known(of.thief()),
        words="a suspect",
        start=0,
        count=32,
        save=saved.append,
        resume=resume,
        policy=policy,
    )


def refused(data, under, rule, match=None, kind=TrustError):
    with pytest.raises(kind, match=match) as err:
        audit(data, policy=under)
    assert (err.value.rule, err.value.exit_code) == (rule, 1)


# --- an honest dispute ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0, 1, 2, 3])
def test_a_cosigned_dispute_passes_and_the_audit_says_under_what(watched, watchers, k):
    data, under = whole(watched), policy(watchers, k, watched.log.key)
    found = audit(data, policy=under, trust=watched.trust, log_copy=watched.log.copy())
    assert (found.outcome.verdict, found.policy, found.outcome.problems) == ("DEPENDENT", under, ())
    said = "\n".join(audit_lines(found))
    assert under.digest.hex() in said
    assert audit_record(found)["policy"] == under.digest.hex()
    known = "\n".join(cannot_know(found))
    assert ("by this policy it alone can show two" in known) == (k < 2)
    assert ("if it and 1 of the policy's witnesses lie together" in known) == (k == 2)
    assert ("if it and 3 of the policy's witnesses lie together" in known) == (k == 3)


def test_without_a_policy_nothing_changes_but_what_is_not_known(watched):
    found = audit(whole(watched), trust=watched.trust)
    assert (found.outcome.verdict, found.policy) == ("DEPENDENT", None)
    assert "no witnesses were asked for (--policy)" in "\n".join(cannot_know(found))
    assert audit_record(found)["policy"] is None


def test_a_policy_judges_the_log_and_nobody_else(watched, watchers):
    data = whole(watched)
    assert any(said.startswith("log ") for said in audit(data).assumed)
    assumed = audit(data, policy=policy(watchers, 2, watched.log.key)).assumed
    assert [said.split(" ")[0] for said in assumed] == ["arbitrator", "owner", "respondent"]


def test_another_log_is_refused(watched, watchers):
    data = whole(watched)
    for key in (LogKey("log.test/2", LOG.public), LogKey("log.test/1", STRANGER.public)):
        refused(data, policy(watchers, 2, key), "reg-policy-6", "does not name a log log.test/1")


def test_nobody_is_named_as_judged_who_was_not(watched, watchers):
    """A transcript whose only receipt does not hold has shown the policy nothing."""
    play = Play(watched).file(key_receipt=b64(b"x"))
    assumed = audit(play.transcript(), policy=policy(watchers, 2, watched.log.key)).assumed
    assert [said.split(" ")[0] for said in assumed] == ["log", "arbitrator", "owner"]


# --- the arbitrator (dis-policy-2) ------------------------------------------------------------------------------


def test_an_arbitrator_with_a_policy_asks_nothing_under_a_checkpoint_that_does_not_count(watched, watchers):
    under = policy(watchers, 2, watched.log.key)
    saved, suspect = [], watched.known(watched.thief())
    watched.log.watchers = watchers[:1]
    with pytest.raises(TrustError, match="lacks the quorum g"):
        held(watched, saved, under, suspect=suspect)
    assert [message_kind(step.message.payload) for step in saved[-1].steps] == ["file", "bind"]
    assert (suspect.asked, len(watched.log.entries("admit"))) == (0, 0)


def test_a_dispute_that_was_admitted_without_the_policy_is_not_gone_on_with_under_it(watched, watchers):
    under = policy(watchers, 2, watched.log.key)
    watched.log.watchers = []
    saved, suspect = [], watched.known(watched.thief())
    held(watched, saved)
    for steps in range(3, len(saved[-1].steps)):
        cut = Transcript(format="wmproto/transcript@v1", steps=saved[-1].steps[:steps])
        watched.log.watchers = watchers
        with pytest.raises(TrustError, match="lacks the quorum g"):
            held(watched, [], under, resume=cut, suspect=suspect)
    assert suspect.asked == 0


# --- every place where a checkpoint stands ----------------------------------------------------------------------


PLACES = ("key receipt", "release receipt", "head", "admission", "decide")


def played(of, bad, bad_place):
    """A dispute whose checkpoints are cosigned but in one place, where they are as ``bad`` makes them."""
    here = lambda place, receipts: [bad(r) for r in receipts] if place == bad_place else receipts  # noqa: E731
    release = of.release()
    play = Play(of)
    key, made = play.leaf("key", of.key.envelope), play.leaf("release", release)
    receipts = {
        "key_receipt": here("key receipt", of.log.receipts([key]))[0],
        "release_receipt": here("release receipt", of.log.receipts([made]))[0],
    }
    play.file(release=release, **{name: b64(receipt) for name, receipt in receipts.items()}).bind()
    play.say_admit(head=here("head", [of.log.checkpoint()])[0])
    of.log.add("admit", play.lines[-1].message)
    play.logged(here("admission", of.log.receipts(play.admitted_leaves())))
    play.stop().decide()
    proofs = of.log.receipts([play.leaf("decide"), play.leaf("admit")])
    return play.logged(here("decide", proofs)).transcript()


def bare(data):
    """The same bytes without any witness's line."""
    lines = data.decode().split("\n")
    return "\n".join(
        line for line in lines if not line.startswith("\u2014 ") or line.startswith("\u2014 log.")
    ).encode()


def test_all_places_at_their_best(watched, watchers):
    data = played(watched, bare, "nowhere")
    assert audit(data, policy=policy(watchers, 3, watched.log.key)).outcome.problems == ()


@pytest.mark.parametrize("place", PLACES)
def test_a_checkpoint_without_the_quorum_is_refused_wherever_it_stands(watched, watchers, place):
    data = played(watched, bare, place)
    assert audit(data).outcome.problems == ()
    refused(data, policy(watchers, 1, watched.log.key), "reg-policy-6", "lacks the quorum g .*witnessed by: nobody")
    assert audit(data, policy=policy(watchers, 0, watched.log.key)).outcome.problems == ()


@pytest.mark.parametrize("place", PLACES)
def test_a_line_of_a_stranger_is_refused_wherever_it_stands(watched, watchers, place):
    data = played(watched, with_extra_line, place)
    assert audit(data).outcome.problems == ()
    refused(data, policy(watchers, 2, watched.log.key), "reg-policy-7", "signature of witness.test, whom")
    refused(played(watched, bytes, place), policy(watchers[:2], 2, watched.log.key), "reg-policy-7", "cem.test/1, whom")


@pytest.mark.parametrize("place", PLACES)
def test_a_known_witness_s_line_that_does_not_verify_is_refused_wherever_it_stands(watched, watchers, place):
    def bad(data):
        text = data.decode().split("\n\n")[-2] + "\n"
        other = watchers[2].line(text + "x", 5).encode()
        return bare(data) + watchers[0].line(text, 5).encode() + watchers[1].line(text, 5).encode() + other

    data = played(watched, bad, place)
    assert audit(data).outcome.problems == ()
    refused(data, policy(watchers, 2, watched.log.key), "enc-ed25519-2", kind=SignatureError)


def test_the_receipt_that_a_release_quotes_may_be_older_than_its_witnesses(watched, watchers):
    old = bare(watched.log.receipts([Play(watched).leaf("key", watched.key.envelope)])[0])
    release = watched.release(receipt=old)
    play = Play(watched).file(release=release).bind().admit().stop().decide()
    play.logged(watched.log.receipts([play.leaf("decide"), play.leaf("admit")]))
    assert audit(play.transcript(), policy=policy(watchers, 3, watched.log.key)).outcome.problems == ()


# --- forks ------------------------------------------------------------------------------------------------------


def test_a_dispute_on_a_fork_finds_no_honest_witness(watched, watchers):
    """The log shows the arbitrator a past without an earlier dispute of the same leaves; witnesses know better."""
    past = watched.log.fork()
    whole(watched)
    forked = cast(n=32, classes=1000, log=past)
    forked.log.kept.pop()  # cast logs the key once more; it stands there already
    forked.log.pad()  # else it would be the same past once more
    data = whole(forked)
    assert audit(data, trust=watched.trust).outcome.verdict == "DEPENDENT", "nothing in it shows the fork"
    for k in (1, 2, 3):
        refused(data, policy(watchers, k, watched.log.key), "reg-policy-6", "lacks the quorum g")


def test_witnesses_that_lie_with_the_log_are_what_the_policy_trusts(watched, watchers):
    """As many liars as policy check says, and the fork counts; one less, and it does not."""
    for liars in (1, 2):
        crowd = [Watcher(f"{liars}{i}", lies=i < liars) for i in range(3)]
        of = cast(n=32, classes=1000, log=WatchedLog(crowd))
        past = of.log.fork()
        whole(of)
        forked = cast(n=32, classes=1000, log=past)
        forked.log.kept.pop()
        forked.log.pad()
        data = whole(forked)
        for k in (1, 2, 3):
            if liars >= k:
                assert audit(data, policy=policy(crowd, k, of.log.key)).outcome.verdict == "DEPENDENT"
            else:
                refused(data, policy(crowd, k, of.log.key), "reg-policy-6")


def test_two_halves_of_the_witnesses_that_never_compare_protect_nobody(watched):
    """Every witness is honest, the quorum is 2 of 4, and the log alone has two pasts that both count."""
    ann, bob, cem, dan = crowd = [Watcher(name) for name in ("ann", "bob", "cem", "dan")]
    of = cast(n=32, classes=1000, log=WatchedLog([ann, bob]))
    past = of.log.fork(0)
    past.watchers = [cem, dan]
    forked = cast(n=32, classes=1000, log=past)
    under = policy(crowd, 2, of.log.key)
    forked.log.pad()
    for each in (of, forked):
        assert audit(whole(each), policy=under).outcome.verdict == "DEPENDENT"
    found = audit(whole(cast(n=32, classes=1000, log=WatchedLog(crowd))), policy=under)
    assert "by this policy it alone can show two" in "\n".join(cannot_know(found))


def test_an_admit_that_hides_an_earlier_dispute_is_seen_with_the_log(watched, watchers):
    """No fork: the arbitrator leaves out what stands in the log that the witnesses cosigned."""
    first = Play(watched).file(count=16).bind().admit().round().decide()
    first.logged(watched.log.receipts([first.leaf("decide"), first.leaf("admit")]))
    data = Play(watched).file(count=16).bind().admit(earlier=()).stop().decide()
    data.logged(watched.log.receipts([data.leaf("decide"), data.leaf("admit")]))
    under = policy(watchers, 2, watched.log.key)
    assert audit(data.transcript(), policy=under).outcome.problems == ()
    found = audit(data.transcript(), policy=under, log_copy=watched.log.copy()).outcome
    assert (found.verdict, [p.rule for p in found.problems]) == ("INADMISSIBLE", ["dis-log-4"])


def test_a_copy_that_nobody_cosigned_does_not_hide_how_the_dispute_ended(watched, watchers):
    """The claimant cuts off the decide, and brings a copy of a fork that lacks it, too."""
    play = Play(watched).file(count=16).bind().admit().round()
    fork = watched.log.fork().pad()
    play.decide("NOT SHOWN").logged(watched.log.receipts([play.leaf("decide"), play.leaf("admit")]))
    play.lines.pop()
    under = policy(watchers, 2, watched.log.key)
    found = audit(play.transcript(), policy=under, log_copy=watched.log.copy()).outcome
    assert "dis-log-5" in [f.rule for f in found.findings]
    assert "dis-log-5" not in [f.rule for f in audit(play.transcript(), log_copy=fork.copy()).outcome.findings]
    with pytest.raises(TrustError, match="lacks the quorum g"):
        audit(play.transcript(), policy=under, log_copy=fork.copy())
