"""One lie a test: each rule of a dispute, broken alone, by name, class and fault.

The rules stand in specs/dispute.md, specs/commitment.md and specs/release.md.

Messages come from ``forge``, which asks the dispute machine nothing, so that everything but the one lie is true.
"""

import re
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from forge import (
    ARBITRATOR,
    LOG,
    OTHER,
    OWNER,
    POLICY,
    RESPONDENT,
    SETTINGS,
    STRANGER,
    PaperLog,
    Play,
    as_json,
    asked,
    b64,
    cast,
    forged,
    found,
    jsonable,
    opening,
    raw,
    resigned,
    statement,
    truth,
    with_extra_line,
)
from world import model_of, seed

import wmproto
from wmproto.cli.words import audit_lines
from wmproto.commitment.opening import Opening, verify_opening
from wmproto.commitment.statement import verify_key
from wmproto.crypto.merkle import tree_root
from wmproto.dispute.hold import hold
from wmproto.dispute.machine import Dispute
from wmproto.dispute.messages import Policy, Settings
from wmproto.dispute.replay import replay
from wmproto.dispute.roles import Arbitrator, Claimant, Respondent
from wmproto.dispute.session import Session
from wmproto.dispute.words import cannot_know
from wmproto.errors import (
    ConfigError,
    FormatError,
    InclusionError,
    OpeningError,
    SignatureError,
    StateError,
    TrustError,
    UnsupportedError,
    VerificationError,
)
from wmproto.release.modelfile import check_grammar
from wmproto.release.record import check_release_of, verify_release
from wmproto.wire.canonical import canonical_json
from wmproto.wire.framing import frame
from wmproto.wire.profile import WMPROTO_1, Profile


@contextmanager
def broken(rule, kind=VerificationError, fault="unknown", match=None):
    """Exactly this error: class, rule and fault."""
    with pytest.raises(kind, match=match) as err:
        yield
    assert (type(err.value), err.value.rule, err.value.fault) == (kind, rule, fault)


@contextmanager
def malformed(match, kind=FormatError):
    with pytest.raises(FormatError, match=match) as err:
        yield
    assert type(err.value) is kind


def unsupported(match):
    return malformed(match, UnsupportedError)


#: Who is to blame for what makes a claim inadmissible (the table in specs/dispute.md).
FAULTS = {rule: {"claimant"} for rule in ("dis-range-1", "dis-range-2", "dis-file-5", "dis-file-6", "dis-admit-7")}
FAULTS |= {rule: {"claimant"} for rule in ("dis-order-1", "dis-order-2")}
FAULTS |= {rule: {"arbitrator"} for rule in ("dis-taken-2", "dis-admit-8", "dis-admit-9", "dis-order-4", "dis-order-5")}
FAULTS |= {"dis-order-3": {"nobody"}, "dis-admit-5": {"unknown", "arbitrator"}, "dis-log-4": {"arbitrator", "nobody"}}


def inadmissible(play, *phrases, trust=None, log_copy=None):
    """The audit finds exactly these problems, in words, and says INADMISSIBLE."""
    audited = play.audit(trust, log_copy)
    assert len(audited.outcome.problems) == len(phrases), audited.outcome.problems
    for phrase, problem in zip(phrases, audited.outcome.problems, strict=True):
        assert phrase in problem.text
        assert problem.fault in FAULTS[problem.rule]
    assert audited.outcome.verdict == "INADMISSIBLE"
    return audited


def honest(play, verdict="NOT SHOWN", trust=None, log_copy=None):
    """The audit accepts without a problem or finding."""
    audited = play.audit(trust, log_copy)
    assert (audited.outcome.verdict, audited.outcome.problems, audited.outcome.findings) == (verdict, (), ())
    return audited


def findings(play):
    return [(f.rule, f.fault) for f in play.audit().outcome.findings]


@pytest.fixture
def small():
    """32 leaves, two classes: nothing is ever DEPENDENT."""
    return cast(n=32)


@pytest.fixture
def large():
    """64 leaves, 1,000 classes: 17 hits of 17 fire, at leaf 22."""
    return cast(n=64, classes=1000)


def everything_said(of):
    """A play with two rounds in which each kind of message occurs, and each optional part."""
    of.log.kept.insert(0, ("release", of.unlogged_release("older", STRANGER, receipt=b"x")))
    return Play(of).file(release=of.release()).bind().admit().round().round().decide()


# --- the chain: phases ---------------------------------------------------------------------------------------------

FOLLOWS = {  # written down from the table of specs/dispute.md
    "new": {"file"},
    "filed": {"bind"},
    "bound": {"admit"},
    "admitted": {"ask", "stop", "decide"},
    "ready": {"ask", "stop", "decide"},
    "asked": {"answer", "stop", "decide"},
    "answered": {"open", "stop", "decide"},
    "stopped": {"decide"},
    "decided": set(),
    "closed": set(),
}
KINDS = ("file", "bind", "admit", "ask", "answer", "open", "stop", "decide")


def in_phase(of, phase):
    play = Play(of)
    if phase == "new":
        return play
    play.file()
    if phase == "filed":
        return play
    play.bind()
    if phase == "bound":
        return play
    play.say_admit()
    if phase == "admitted":
        return play
    play.log_admit()
    if phase == "ready":
        return play
    if phase == "asked":
        return play.ask()
    if phase == "answered":
        return play.ask().answer()
    play.stop()
    if phase == "stopped":
        return play
    play.say_decide()
    return play if phase == "decided" else play.log_decide()


def say(play, kind, **how):
    """The true next message of that kind, whatever the phase."""
    name = {"admit": "say_admit", "decide": "say_decide"}.get(kind, kind)
    return getattr(play, name)(**how)


def state(dispute):
    known = {k: v for k, v in vars(dispute).items() if k != "tally"}
    return {k: list(v) if isinstance(v, list) else v for k, v in known.items()}


@pytest.mark.parametrize("phase", FOLLOWS)
def test_only_what_may_follow_follows(small, phase):
    play = in_phase(small, phase)
    assert play.live().phase == phase
    for kind in KINDS:
        next_play = say(play.fork(), kind)
        last = next_play.lines[-1]
        dispute = play.live()
        before = state(dispute)
        if kind in FOLLOWS[phase]:
            dispute.receive(last.message, last.attached)
            assert dispute.seq == len(next_play.lines)
            assert dispute.link == next_play.link
            next_play.audit()
            continue
        with pytest.raises(StateError):
            dispute.receive(last.message, last.attached)
        assert state(dispute) == before
        with broken("dis-chain-1"):
            next_play.audit()


@pytest.mark.parametrize("phase", sorted(FOLLOWS.keys() - {"admitted", "decided", "new"}))
def test_receipts_only_where_something_was_logged(small, phase):
    play = in_phase(small, phase)
    dispute = play.live()
    before = state(dispute)
    with pytest.raises(StateError):
        dispute.logged([b"receipt"])
    assert state(dispute) == before
    if phase in ("ready", "closed"):
        return  # its last step has receipts already
    with broken("dis-chain-1"):
        play.logged([b"receipt"]).audit()


def test_nothing_is_logged_before_anything_was_said():
    with pytest.raises(StateError):
        Dispute().logged([b"receipt"])


def test_a_transcript_holds_a_message():
    with malformed("holds no message"):
        Play(cast()).audit()


def test_no_leaf_is_asked_after_the_verdict_is_final(large):
    play = Play(large).begin().round().round()
    assert play.live().fired
    dispute = play.live()
    before = state(dispute)
    play.ask()
    with pytest.raises(StateError, match="final"):
        dispute.receive(play.lines[-1].message)
    assert state(dispute) == before
    with broken("dis-chain-1"):
        play.audit()


def test_an_ask_is_fine_as_long_as_the_verdict_is_open(large):
    play = Play(large, large.thief(range(12))).begin().round().round()
    assert not play.live().fired
    play.round().audit()


# --- the chain: links, signers, subjects ---------------------------------------------------------------------------


def refused_live(play, number, line):
    """Refused live, and nothing has changed by it: the true message is still taken."""
    dispute = play.live(number)
    before = state(dispute)
    with pytest.raises((VerificationError, FormatError)):
        dispute.receive(line.message, line.attached)
    assert state(dispute) == before
    dispute.receive(play.lines[number].message, play.lines[number].attached)


def set_field(*path):
    """A change of a statement's predicate: ``set_field("leaves", 0, "index", 3)``."""

    def change(value):
        inner = value["predicate"]
        for part in path[:-2]:
            inner = inner[part]
        inner[path[-2]] = path[-1]

    return change


PARTY = {"file": "claimant", "bind": "respondent", "ask": "claimant", "open": "claimant", "stop": "claimant"}


@pytest.mark.parametrize("number", range(10))
@pytest.mark.parametrize(("field", "lie"), [("seq", 5000), ("previous", "00" * 32), ("previous", "other")])
def test_dis_chain_2_sequence_number_and_link_are_the_next(small, number, field, lie):
    play = everything_said(small)
    if lie == "other":
        lie = None if number else play.link.hex()
    other = play.fork()
    other.lines[number].message = resigned(play.lines[number].message, set_field(field, lie))
    refused_live(play, number, other.lines[number])
    with pytest.raises(VerificationError) as err:
        other.audit()
    assert err.value.rule == "dis-chain-2"


def test_dis_chain_2_blames_nobody(small):
    """Leave out a step: the next one, honestly signed, no longer fits."""
    play = everything_said(small)
    del play.lines[6]
    with broken("dis-chain-1"):
        play.audit()
    play = everything_said(small)
    del play.lines[6:9]  # a whole round
    with broken("dis-chain-2", fault="unknown"):
        play.audit()


def test_dis_chain_5_blames_nobody(small):
    """Put somebody's honest message from a dispute about another key into this one."""
    other = everything_said(cast(name="other"))
    play = everything_said(small)
    play.lines[3] = other.lines[3]
    with broken("dis-chain-5", fault="unknown"):
        play.audit()


def test_dis_chain_2_nothing_can_be_left_out_doubled_or_moved(small):
    play = everything_said(small)
    whole = play.fork()
    for number in range(len(play.lines)):
        for change in ("left out", "doubled", "moved"):
            other = whole.fork()
            if change == "left out":
                del other.lines[number]
                if number == len(whole.lines) - 1:
                    continue  # a transcript may end anywhere
            elif change == "doubled":
                other.lines.insert(number, other.lines[number])
            else:
                other.lines.insert((number + 1) % len(other.lines), other.lines.pop(number))
            with pytest.raises(VerificationError) as err:
                other.audit()
            assert err.value.rule in ("dis-chain-1", "dis-chain-2")


SIGNED_BY = {"file": OWNER, "ask": OWNER, "open": OWNER, "stop": OWNER}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"bind"}))
@pytest.mark.parametrize("by", [STRANGER, RESPONDENT, LOG, OTHER, OWNER, ARBITRATOR], ids=str)
def test_dis_chain_3_each_message_has_its_signer(small, kind, by):
    phase = {"file": "new", "admit": "bound", "ask": "ready", "answer": "asked", "open": "answered", "stop": "asked"}
    play = in_phase(small, phase.get(kind, "stopped"))
    say(play, kind, by=by)
    if by is SIGNED_BY.get(kind, ARBITRATOR):
        play.audit()
        return
    with broken("dis-file-4" if kind == "file" else "dis-chain-3", SignatureError, match="not signed by"):
        play.audit()


def test_anybody_may_bind_and_is_named(small):
    for by in (OWNER, STRANGER, RESPONDENT):
        assert in_phase(small, "filed").bind(by=by).audit().dispute.respondent == by.public


@pytest.mark.parametrize("number", range(10))
def test_a_message_under_a_name_with_anothers_signature_is_refused(small, number):
    play = everything_said(small)
    other = play.fork()
    other.lines[number].message = forged(play.lines[number].message)
    refused_live(play, number, other.lines[number])
    with broken("enc-ed25519-2", SignatureError):
        other.audit()


@pytest.mark.parametrize("kind", ["ask", "answer", "open", "stop", "decide"])
def test_dis_chain_4_most_messages_have_nothing_attached(small, kind):
    phase = {"ask": "ready", "answer": "asked", "open": "answered", "stop": "ready", "decide": "stopped"}[kind]
    play = say(in_phase(small, phase), kind, attached=[small.key.envelope])
    with broken("dis-chain-4"):
        play.audit()


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"file"}))
def test_dis_chain_5_each_message_is_about_the_key(small, kind):
    phase = {"bind": "filed", "admit": "bound", "ask": "ready", "answer": "asked", "open": "answered", "stop": "ready"}
    play = say(in_phase(small, phase.get(kind, "stopped")), kind, about=seed("another key"))
    with pytest.raises(VerificationError) as err:
        play.audit()
    assert err.value.rule == "dis-chain-5"


@pytest.mark.parametrize("subject", [[], [{"digest": {"sha256": "00" * 32}, "name": "root"}], "twice"])
def test_a_message_has_one_subject_named_key(small, subject):
    def change(value):
        value["subject"] = value["subject"] * 2 if subject == "twice" else subject

    play = everything_said(small)
    for number in range(len(play.lines)):
        other = play.fork()
        other.lines[number].message = resigned(play.lines[number].message, change)
        with pytest.raises(FormatError):
            other.audit()


def test_what_is_no_message_of_a_dispute_is_malformed(small):
    play = in_phase(small, "filed")
    for envelope in (small.key.envelope, small.release(), STRANGER.envelope(b""), STRANGER.envelope(b"\xff{}")):
        other = play.fork().add("bind", envelope)
        with malformed("not a message of a dispute"):
            other.audit()


def test_a_message_that_claims_two_types_is_malformed(small):
    """The type that is looked up first, without trust, must be the type that is parsed."""

    def change(value):
        value["predicate"]["predicateType"] = "tag:wmproto,2025:ask/1"

    play = in_phase(small, "filed").bind()
    play.lines[-1].message = resigned(play.lines[-1].message, change)
    with malformed("predicate.*predicateType|not"):
        play.audit()


# --- file ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("access", ["T", "B", "H"])
def test_access_other_than_weights_is_refused_by_name(small, access):
    with unsupported(f"access '{access}'"):
        Play(small).file(access=access).audit()


def test_an_unknown_access_is_malformed(small):
    with malformed("access"):
        Play(small).file(access="X").audit()


def test_time_evidence_is_refused_by_name(small):
    with unsupported("time evidence"):
        Play(small).file(time_evidence=[b64(b"token")]).audit()


def test_a_file_of_another_profile_is_malformed(small):
    with malformed("profile 'wmproto/0'"):
        Play(small).file(profile="wmproto/0").audit()


def test_a_transcript_of_one_profile_is_not_evidence_under_another(small):
    from wmproto.dispute.audit import audit

    with malformed("profile"):
        audit(everything_said(small).transcript(), profile=Profile("wmproto-test/1", target_bits=4))


@pytest.mark.parametrize("lie", [{"release_entry": None}, {"release_receipt": None}])
def test_a_release_comes_with_its_receipt(small, lie):
    with malformed("release comes with its receipt"):
        Play(small).file(release=small.release(), **lie).audit()


def test_the_log_is_a_verifier_key(small):
    log = small.log.vkey
    for lie in ("log.test/1", log.replace("+", "-", 1), log[:-4] + "AAA=", "x" + log, ""):
        with malformed("verifier key|base64|log key"):
            Play(small).file(log=lie).audit()


def test_dis_file_2_what_is_attached_is_what_the_file_names(small):
    release = small.release()
    second = small.release("second")
    other = cast(name="other").key.envelope
    for attached in (
        [],
        [release],
        [small.key.envelope],
        [small.key.envelope, second],
        [release, small.key.envelope],
        [small.key.envelope, release, second],
        [other, release],
        [forged(small.key.envelope), release],
    ):
        with broken("dis-file-2"):
            Play(small).file(release=release, attached=attached).audit()
    with broken("dis-file-2"):
        Play(small).file(attached=[small.key.envelope, release]).audit()
    honest(Play(small).file(release=release))


def test_dis_file_3_the_subject_is_the_attached_key(small):
    with broken("dis-file-3", fault="claimant"):
        Play(small).file(about=cast(name="other").key.key_id).audit()


def test_dis_file_4_only_the_owner_files(small):
    with broken("dis-file-4", SignatureError):
        Play(small).file(by=STRANGER).audit()


def test_a_stranger_cannot_file_with_a_copy_of_the_statement_under_his_own_name(small):
    """com-z-2: the statement names its owner; signed again by a stranger it is no key."""
    play = Play(small)
    play.key_envelope = STRANGER.envelope(small.key.envelope.payload)
    small.log.add("key", play.key_envelope)
    with broken("com-z-2", SignatureError, "owner"):
        play.file(by=STRANGER).audit()


@pytest.mark.parametrize(("n", "start"), [(32, 8), (32, 1), (64, 40), (4096, 16), (4096, 33), (2048, 8)])
def test_dis_range_1_a_dispute_starts_on_the_grid(n, start):
    of = cast(n=n)
    inadmissible(Play(of).file(start, 16), f"starts at leaf {start}, no multiple of")
    grid = 32 if n == 4096 else 16
    honest(Play(of).file(grid, 16))


@pytest.mark.parametrize(
    ("start", "count"),
    [(0, 0), (0, 8), (0, 17), (0, 48), (16, 32), (32, 16), (0, 2**53 - 16), (2**53 - 16, 16), (16, 0)],
)
def test_dis_range_2_the_range_is_whole_rounds_of_the_keys_leaves(small, start, count):
    inadmissible(Play(small).file(start, count), "whole rounds")


def test_the_range_may_end_with_the_key(small):
    honest(Play(small).file(16, 16))
    honest(Play(small).file(0, 32))


def test_dis_file_5_the_key_stands_in_the_log(small):
    elsewhere = PaperLog(STRANGER)
    elsewhere.add("key", small.key.envelope)
    leaf = small.log.leaves()[0]
    forked = PaperLog().pad(3)
    forked.add("key", small.key.envelope)
    for receipt, why in (
        (b"", "receipt: not"),
        (b"x", "not a tlog-proof"),
        (elsewhere.receipts([leaf])[0], "not signed by"),
        (small.log.receipts([leaf])[0].replace(b"index 0", b"index 1"), "wrong length"),
        (small.log.pad().receipts([small.log.leaves()[1]])[0], "another root"),
    ):
        inadmissible(Play(small).file(key_receipt=b64(receipt)), why)
    honest(Play(small).file(key_receipt=b64(forked.receipts([leaf])[0])))  # one log: any checkpoint of it will do


def test_dis_file_6_the_release_is_the_owners_about_this_key(small):
    stranger = small.release("stranger", STRANGER)
    key = small.release("key", key_id=seed("another key"))
    beta = small.release("beta", beta=seed("another beta"))
    late_key_receipt = small.release("receipt", receipt=b"x")
    other_log = PaperLog(STRANGER)
    other_log.add("key", small.key.envelope)
    other = small.release("other log", receipt=other_log.receipts([small.log.leaves()[0]])[0])
    for release, why in (
        (stranger, "not the key owner's"),
        (key, "another key or other labels"),
        (beta, "another key or other labels"),
        (late_key_receipt, "as the release quotes it"),
        (other, "as the release quotes it"),
    ):
        inadmissible(Play(small).file(release=release), why)
        assert Play(small).file(release=release).audit().dispute.release is None
    good = small.release("good")
    inadmissible(Play(small).file(release=good, release_receipt=b64(b"x")), "receipt of the release")
    unlogged = small.unlogged_release("unlogged")
    proof = small.log.receipts([small.log.leaves()[-1]])[0]
    inadmissible(Play(small).file(release=unlogged, release_receipt=b64(proof)), "receipt of the release")
    assert honest(Play(small).file(release=good)).dispute.release is not None


def test_dis_file_6_a_release_that_is_none_is_a_problem(small):
    """The file names it and is signed: the claim may not be heard, but the file is what its owner said."""
    release = small.unlogged_release("forged")
    bad = forged(release)
    small.log.add("release", bad)
    inadmissible(Play(small).file(release=bad), "signature does not verify")
    salted = resigned(release, set_field("salt", "pepper"))
    small.log.add("release", salted)
    inadmissible(Play(small).file(release=salted), "a salted release is not supported")


def test_problems_add_up_and_are_all_told(small):
    release = small.release("stranger", STRANGER)
    inadmissible(
        Play(small).file(8, 17, release=release, key_receipt=b64(b"x")),
        "starts at leaf 8",
        "17 leaves",
        "the receipt of the key",
        "not the key owner's",
    )


# --- bind ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["adapter", "map"])
def test_dis_bind_1_adapters_and_maps_are_refused_by_name(small, field):
    with unsupported("adapters and class maps"):
        Play(small).file().bind(**{field: "mine"}).audit()


def test_dis_bind_2_what_is_attached_is_what_bind_names(small):
    old, other = small.release("old", STRANGER), small.release("other", STRANGER)
    for prior, attached in ((old, []), (old, [other]), (old, [old, other]), (None, [old]), (old, [small.key.envelope])):
        with broken("dis-bind-2"):
            Play(small).file().bind(prior, attached=attached).audit()
    with broken("dis-bind-2"):
        Play(small).file().bind(old, prior=small.log.leaves()[0]).audit()


def test_dis_bind_3_the_older_release_is_of_the_bound_weights(small):
    old = small.release("old", STRANGER)
    with broken("dis-bind-3", fault="respondent"):
        Play(small).file().bind(old, model=seed("some other model")).audit()


def test_dis_bind_3_the_older_release_verifies_by_itself(small):
    old = small.unlogged_release("old", STRANGER)
    bad = forged(old, OTHER)
    with broken("enc-ed25519-2", SignatureError):
        Play(small).file().bind(bad, model=model_of(old)).audit()
    for_another = OTHER.envelope(old.payload)
    with broken("rel-2", VerificationError, "owner"):
        Play(small).file().bind(for_another, model=model_of(old)).audit()


# --- admit ---------------------------------------------------------------------------------------------------------


def roles(of, arbitrator=ARBITRATOR, policy=POLICY):
    return (
        Claimant(of.key, of.leaves, of.owner),
        Respondent(RESPONDENT, "escrow"),
        Arbitrator(arbitrator, Policy(**policy)),
    )


def held(
    of, answers=None, log=None, start=0, count=32, model=None, resume=None, saved=None, release=None, suspect=None
):
    claimant, respondent, arbitrator = roles(of)
    return hold(
        claimant=claimant,
        release=release,
        respondent=respondent,
        arbitrator=arbitrator,
        log=log or of.log,
        model=model or seed("some model"),
        suspect=suspect or of.known(answers or of.thief()),
        words="a suspect",
        start=start,
        count=count,
        save=(saved if saved is not None else []).append,
        resume=resume,
    )


SETTINGS_MESSAGE = Settings.from_bytes(canonical_json(SETTINGS), what="settings", limit=1 << 16)


def test_dis_admit_1_an_honest_arbitrator_admits_no_dispute_that_has_a_problem(small):
    dispute = Play(small).file(8, 16).bind().live()
    with broken("dis-admit-1", fault="claimant"):
        roles(small)[2].admit(dispute, small.log, SETTINGS_MESSAGE)
    size = len(small.log.kept)
    assert held(small, start=8, count=16).verdict == "INADMISSIBLE"
    assert len(small.log.kept) == size


def test_an_honest_arbitrator_admits_only_to_the_log_that_was_addressed(small):
    elsewhere = PaperLog(name="other.test/1")
    dispute = Play(small).file().bind().live()
    with pytest.raises(StateError, match="another log"):
        roles(small)[2].admit(dispute, elsewhere, SETTINGS_MESSAGE)


def test_an_honest_arbitrator_says_which_leaves_are_free(small):
    Play(small).whole(1, "NOT SHOWN", count=16)
    dispute = Play(small).file(0, 16).bind().live()
    with pytest.raises(StateError, match="leaves below 16 are taken") as err:
        roles(small)[2].admit(dispute, small.log, SETTINGS_MESSAGE)
    assert "16" in err.value.hint


def test_dis_admit_2_admit_holds_the_file_of_this_dispute(small):
    other = Play(small).file(suspect="another suspect")
    with broken("dis-admit-2", fault="arbitrator"):
        Play(small).file().bind().admit(file=other.lines[0].message).audit()
    with broken("dis-admit-2", fault="arbitrator"):
        Play(small).file().bind().admit(file=as_json(forged(Play(small).file().lines[0].message))).audit()


@pytest.mark.parametrize("policy", [{"bits": 1, "suspects_log2": 24}, {"bits": 0, "suspects_log2": 25}])
def test_dis_admit_3_admit_holds_the_policy_that_file_names(small, policy):
    with broken("dis-admit-3", fault="arbitrator"):
        Play(small).file().bind().admit(policy=policy).audit()


def test_a_policy_asks_for_no_fewer_suspects_than_the_profile(small):
    policy = {"bits": 0, "suspects_log2": 23}
    play = Play(small).file(policy=WMPROTO_1.hash("policy", raw(policy))).bind().admit(policy=policy)
    with malformed("suspects_log2"):
        play.audit()


def test_dis_admit_4_what_is_attached_is_what_admit_lists(small):
    first = Play(small).whole(1, "NOT SHOWN", count=16)
    admit, decide = first.logged_entry("admit"), first.logged_entry("decide")
    for attached in ([], [decide[1]], [decide[1], admit[1]], [admit[1], decide[1], admit[1]]):
        with broken("dis-admit-4"):
            Play(small).file(16, 16).bind().admit([admit, decide], attached=attached).audit()
    with malformed("not a message of a dispute"):
        Play(small).file(16, 16).bind().say_admit([("key", small.key.envelope)]).audit()


def test_known_answers_are_refused_by_name(small):
    with unsupported("known answers"):
        Play(small).file().bind().admit(known_answers=[seed("x")]).audit()


@pytest.mark.parametrize("lie", [{"batch": 2}, {"dtype": "float64"}, {"threads": 2}])
def test_settings_are_the_profiles(small, lie):
    with malformed("settings"):
        Play(small).file().bind().admit(settings=SETTINGS | lie).audit()


def test_dis_admit_5_there_is_a_receipt_for_each_entry(small):
    play = Play(small).file(release=small.release()).bind().say_admit()
    small.log.add("admit", play.lines[-1].message)
    true = small.log.receipts(play.admitted_leaves())
    assert honest(play.fork().logged(true)).dispute.admission.index == 2
    for receipts in (true[:-1], true[:1], [*true, true[0]], [true[0], *true]):
        inadmissible(play.fork().logged(receipts), "receipts for 3 entries")
    for receipts in ([true[1], true[0], true[2]], [true[0], true[2], true[1]], [true[0]] * 3):
        inadmissible(play.fork().logged(receipts), "inclusion proof")
    for bad in (b"", b"x", true[0] + b"x"):
        inadmissible(play.fork().logged([bad, *true[1:]]), ":")


def test_dis_admit_5_all_receipts_stand_under_one_checkpoint(small):
    play = Play(small).file().bind().say_admit()
    small.log.add("admit", play.lines[-1].message)
    admit, key = play.admitted_leaves()
    early = small.log.receipts([key])
    new = small.log.receipts([admit])
    honest(play.fork().logged([*new, *early]))
    late = small.log.pad().receipts([key])
    inadmissible(play.fork().logged([*new, *late]), "different checkpoints")
    witnessed = with_extra_line(early[0])
    inadmissible(play.fork().logged([*new, witnessed]), "different checkpoints")


def test_dis_admit_5_the_receipts_are_the_logs(small):
    play = Play(small).file().bind().say_admit()
    for other in (PaperLog(STRANGER), PaperLog(LOG, "other.test/1")):
        other.add("key", small.key.envelope)
        other.add("admit", play.lines[-1].message)
        inadmissible(play.fork().logged(other.receipts(play.admitted_leaves())), "not signed by")


def test_dis_admit_5_the_type_of_an_entry_counts(small):
    """The same signed object, logged as another type, is not the entry that was named."""
    play = Play(small).file().bind().say_admit()
    small.log.add("decide", play.lines[-1].message)
    receipts = small.log.receipts([small.log.leaves()[-1], small.log.leaves()[0]])
    inadmissible(play.logged(receipts), "inclusion proof")


def test_dis_admit_6_the_log_is_read_again_before_a_leaf_is_asked(small):
    """Another arbitrator of the owner's admits between the reading and the logging."""

    class Raced(PaperLog):
        def submit(self, kind, envelope):
            if kind == "admit" and len(self.kept) == 1:
                other = Play(small, log=self).file(16, 16, arbitrator=OTHER.public).bind().say_admit(by=OTHER)
                self.add("admit", other.lines[-1].message)
            return super().submit(kind, envelope)

    log = Raced(kept=small.log.kept)
    saved = []
    with pytest.raises(StateError, match="in between"):
        held(small, log=log, count=16, saved=saved)
    assert "ask" not in [s.message.payload.decode().split("2025:")[1].split("/")[0] for s in saved[-1].steps]


def test_dis_admit_6_leaves_that_were_not_asked_are_freed(small):
    class Raced(PaperLog):
        def submit(self, kind, envelope):
            if kind == "admit" and len(self.kept) == 1:
                other = Play(small, log=self).file(0, 16, arbitrator=OTHER.public).bind().say_admit(by=OTHER)
                self.add("admit", other.lines[-1].message)
            return super().submit(kind, envelope)

    log = Raced(kept=small.log.kept)
    with pytest.raises(StateError):
        held(small, log=log, count=32)
    assert held(small, log=log, start=16, count=16).verdict == "NOT SHOWN"


def test_dis_admit_7_admit_is_logged_before_the_first_ask(small):
    play = Play(small).file().bind().say_admit().round()
    inadmissible(play.fork(), "not logged before the first leaf")
    small.log.add("admit", play.lines[2].message)
    play.lines[2].receipts = small.log.receipts(play.admitted_leaves())  # shown afterwards, outside the signed chain
    with pytest.raises(VerificationError) as err:
        play.audit()
    assert err.value.rule == "dis-chain-2"


def test_an_unlogged_dispute_that_asked_nothing_has_no_problem(small):
    honest(Play(small).file().bind().say_admit())
    assert Play(small).file().bind().say_admit().stop().audit().outcome.verdict == "NOT SHOWN"


def second(of, first, earlier, start=16, **filed):
    return Play(of).file(start, 16, **filed).bind().admit(earlier)


def test_dis_admit_8_admit_lists_nothing_that_does_not_count(small):
    first = Play(small).whole(1, "NOT SHOWN", count=16)
    both = [first.logged_entry("admit"), first.logged_entry("decide")]
    honest(second(small, first, both))
    strange = Play(small).file(0, 16, arbitrator=OTHER.public).bind().say_admit(by=STRANGER)
    small.log.add("admit", strange.lines[-1].message)
    inadmissible(
        second(small, first, [*both, strange.logged_entry("admit")]), "lists an earlier entry that does not count"
    )
    inadmissible(
        second(small, first, both[1:]), "lists an earlier entry that does not count"
    )  # decide without its admit
    inadmissible(
        second(small, first, both[::-1]), "lists an earlier entry", "earlier entries are not in the order of the log"
    )
    filed = ("file", first.lines[0].message)
    small.log.add("file", first.lines[0].message)
    inadmissible(second(small, first, [*both, filed]), "lists an earlier entry that does not count")


def test_dis_admit_8_an_entry_is_listed_once(small):
    first = Play(small).whole(1, "NOT SHOWN", count=16)
    admit, decide = first.logged_entry("admit"), first.logged_entry("decide")
    inadmissible(second(small, first, [admit, admit, decide]), "lists an earlier entry", "not in the order of the log")
    inadmissible(second(small, first, [admit, decide, decide]), "lists an earlier entry", "not in the order of the log")


def test_dis_taken_2_the_range_starts_above_what_is_taken(small):
    first = Play(small).begin(count=16)
    inadmissible(second(small, first, [first.logged_entry("admit")], start=0), "leaves below 16 are taken")
    honest(second(small, first, [first.logged_entry("admit")], start=16))


def test_dis_taken_1_decide_frees_the_leaves_above_its_rounds():
    of = cast(n=64)
    first = Play(of).begin(count=64).round().stop().decide()
    both = [first.logged_entry("admit"), first.logged_entry("decide")]
    honest(second(of, first, both, start=16))
    inadmissible(second(of, first, both, start=0), "leaves below 16 are taken")
    inadmissible(second(of, first, both[:1], start=48), "leaves below 64 are taken")


def test_dis_taken_1_a_decide_never_takes_more_than_was_filed(small):
    """Its rounds are the arbitrator's word; they cannot burn what the owner did not offer."""
    first = Play(small).begin(count=16).round()
    first.say_decide(rounds=2**53 - 1)
    small.log.add("decide", first.lines[-1].message)
    both = [first.logged_entry("admit"), first.logged_entry("decide")]
    honest(second(small, first, both, start=16))


def test_dis_taken_1_what_is_taken_is_the_largest_end():
    of = cast(n=64)
    high = Play(of).begin(48, 16)
    low = Play(of).begin(0, 16)
    inadmissible(
        second(of, low, [high.logged_entry("admit"), low.logged_entry("admit")], start=16), "leaves below 64 are taken"
    )


def test_dis_order_1_the_key_stands_below_admit(small):
    log = PaperLog()
    play = Play(small).file().bind().say_admit(head=log.checkpoint())
    log.add("admit", play.lines[-1].message)
    log.add("key", small.key.envelope)
    play.log = log
    inadmissible(play.log_admit(), "the key stands after admit")


def test_dis_order_2_the_release_stands_between_key_and_admit(small):
    release = small.unlogged_release("released")
    early = PaperLog()
    early.add("release", release)
    early.add("key", small.key.envelope)
    inadmissible(Play(small, log=early).file(release=release).bind().admit(), "release is not between")
    late = PaperLog(kept=small.log.kept)
    witness = late.fork()
    witness.add("release", release)
    proof = b64(witness.receipts([witness.leaves()[-1]])[0])
    play = Play(small, log=late).file(release=release, release_receipt=proof).bind().say_admit()
    late.add("admit", play.lines[-1].message)
    late.add("release", release)
    inadmissible(play.log_admit(), "release is not between")


def test_dis_order_3_weights_that_are_older_than_the_key_end_the_claim(small):
    old = small.unlogged_release("old", STRANGER, receipt=b"x")
    before, after = PaperLog(), PaperLog()
    before.add("release", old)
    for log in (before, after):
        log.add("key", small.key.envelope)
    after.add("release", old)
    play = Play(small, log=before).file().bind(old).admit().round().round()
    inadmissible(play, "older in the log than the labels")
    honest(Play(small, log=after).file().bind(old).admit().round().round())


def test_dis_order_4_earlier_entries_stand_below_admit(small):
    first = Play(small).file(0, 16).bind().say_admit()
    admit = first.logged_entry("admit")
    play = Play(small).file(16, 16).bind().say_admit([admit])
    small.log.add("admit", play.lines[-1].message)
    small.log.add(*admit)
    inadmissible(play.log_admit(), "the earlier entries are not in the order of the log")


def test_dis_order_5_the_head_is_not_younger_than_admit(small):
    later = small.log.fork().pad(3)
    inadmissible(Play(small).file().bind().admit(head=later.checkpoint()), "younger than admit")
    empty = PaperLog()
    honest(Play(small).file().bind().admit(head=empty.checkpoint()))


def test_the_head_is_the_logs(small):
    inadmissible(Play(small).file().bind().admit(head=b"x"), "note:")
    inadmissible(Play(small).file().bind().admit(head=PaperLog(STRANGER).checkpoint()), "not signed by")


# --- ask -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "indices",
    [
        [*range(16)][:15],
        [*range(17)][:0],
        [*range(1, 17)],
        [*range(15), 16],
        [*range(8), *range(9, 17)],
        [0, *range(15)],
        [1, 0, *range(2, 16)],
        [*range(16)][::-1],
        [*range(16, 32)],
        [0] * 16,
    ],
)
def test_dis_ask_1_exactly_the_next_leaves_are_asked_in_order(small, indices):
    with broken("dis-ask-1", fault="claimant"):
        Play(small).begin().ask(indices).audit()


def test_dis_ask_1_also_in_the_second_round(small):
    for indices in ([*range(16)], [*range(15, 31)], [*range(17, 33)]):
        with broken("dis-ask-1", fault="claimant"):
            Play(small).begin().round().ask(indices).audit()


def test_a_round_of_more_than_16_leaves_is_malformed(small):
    with malformed("leaves"):
        Play(small).begin().ask([*range(17)]).audit()


def test_dis_ask_2_no_leaf_beyond_the_range_is_asked(small):
    with broken("dis-ask-2", fault="claimant"):
        Play(small).begin(count=16).round().ask().audit()
    with broken("dis-ask-2", fault="claimant"):
        Play(small).begin().round().round().ask().audit()


def test_dis_ask_3_an_honest_arbitrator_asks_only_the_inputs_whose_hashes_were_signed(small):
    dispute = Play(small).begin().ask().live()
    arbitrator, suspect = roles(small)[2], small.known(small.thief())
    true = [small.input(i) for i in range(16)]
    arbitrator.answer(dispute, dispute.pending, true, suspect)
    with broken("dis-ask-3", fault="claimant", match="leaf 3"):
        arbitrator.answer(dispute, dispute.pending, [*true[:3], b"x" * 12, *true[4:]], suspect)
    leaves = [asked(small, i) for i in range(16)]
    leaves[5]["inputs"] = sha256(frame(b"short")).hexdigest()
    dispute = Play(small).begin().ask(leaves=leaves).live()
    with broken("dis-ask-3", fault="claimant", match="leaf 5"):
        arbitrator.answer(dispute, dispute.pending, [*true[:5], b"short", *true[6:]], suspect)


# --- answer --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [[0] * 15, [], [2] + [0] * 15, [0] * 15 + [2**53 - 1]])
def test_dis_answer_1_there_is_a_class_or_nothing_for_each_leaf(small, answers):
    with broken("dis-answer-1", fault="arbitrator"):
        Play(small).begin().ask().answer(answers).audit()


@pytest.mark.parametrize("answers", [[-1] + [0] * 15, [True] + [0] * 15, ["0"] + [0] * 15, [0] * 17, [0.0] * 16, None])
def test_what_is_no_index_is_malformed(small, answers):
    with malformed("answer"):
        Play(small).begin().ask().answer(answers=answers).audit()


def test_no_answer_is_a_miss(large):
    of = large
    silent = Play(of, lambda i: None).begin().round().round()
    assert found(silent.audit()) == truth(silent)
    assert found(silent.audit()).hits == 0


def test_an_answer_out_of_range_is_no_answer_when_an_honest_arbitrator_writes_it_down(small):
    saved = []
    held(small, lambda i: 2 + i, saved=saved)
    assert saved[-1].steps[4].message.payload.count(b"null") >= 16


# --- open ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("indices", [[1, 0], [3, 3], [0, 1, 2, 2], [16], [0, 16], [15, 14]])
def test_dis_open_1_leaves_asked_are_opened_in_order_each_once(small, indices):
    with broken("dis-open-1", fault="claimant"):
        Play(small).begin().ask().answer().open(indices).audit()


def test_dis_open_1_leaves_of_an_earlier_round_are_not_opened_again(small):
    with broken("dis-open-1", fault="claimant"):
        Play(small).begin().round([0, 1]).ask().answer().open([2]).audit()


def lied(of, index, **lies):
    """A play over leaves that fires at leaf 22, with one bad opening."""
    openings = [opening(of, i) for i in range(16)]
    openings[index] = openings[index] | jsonable(lies)
    return Play(of).begin().ask().answer().open(openings=openings)


BAD = {
    "no input": ("com-open-1", lambda of, o: {"inputs": []}),
    "two inputs": ("com-open-1", lambda of, o: {"inputs": o["inputs"] * 2}),
    "a short input": ("com-open-1", lambda of, o: {"inputs": [b64(b"short")]}),
    "aux": ("com-open-2", lambda of, o: {"aux": b64(b"x")}),
    "another input": ("com-open-3", lambda of, o: {"inputs": [b64(b"y" * 12)]}),
    "another leaf key": ("com-open-4", lambda of, o: {"k": "00" * 32}),
    "another path": ("com-open-4", lambda of, o: {"path": [*o["path"][:-1], "00" * 32]}),
    "a short path": ("com-open-4", lambda of, o: {"path": o["path"][:-1]}),
    "a long path": ("com-open-4", lambda of, o: {"path": [*o["path"], "00" * 32]}),
    "the path of another": ("com-open-4", lambda of, o: {"path": opening(of, 9)["path"]}),
    "key of another": ("com-open-4", lambda of, o: {"k": opening(of, 9)["k"]}),
}


@pytest.mark.parametrize("name", BAD)
def test_a_badly_opened_leaf_is_a_miss_and_the_finding_names_the_claimant(large, name):
    rule, lie = BAD[name]
    ghost = next(i for i in range(16) if large.ghost(i))
    marked = next(i for i in range(16) if not large.ghost(i))
    for index in (ghost, marked):
        play = lied(large, index, **lie(large, opening(large, index)))
        audited = play.audit()
        assert [(f.rule, f.fault) for f in audited.outcome.findings] == [(rule, "claimant")]
        assert f"leaf {index}" in audited.outcome.findings[0].text
        evidence = audited.outcome.evidence
        true = Play(large).begin().round().audit().outcome.evidence
        assert found(audited) == truth(play)
        assert evidence.unopened == 1
        assert evidence.wealth.n == true.wealth.n + (index == ghost)  # an unopened ghost is a marked miss
        assert evidence.wealth.hits == true.wealth.hits - (index == marked)
        assert evidence.ghosts == true.ghosts - (index == ghost)


@pytest.mark.parametrize("name", BAD)
def test_com_open_an_opening_verifies_alone(small, name):
    rule, lie = BAD[name]
    true = opening(small, 3)
    on_asked = bytes.fromhex(asked(small, 3)["inputs"])
    verify_opening(Opening.from_bytes(raw(true), what="opening", limit=1 << 20), key=small.key, asked=on_asked)
    bad = Opening.from_bytes(raw(true | lie(small, true)), what="opening", limit=1 << 20)
    with broken(rule, OpeningError):
        verify_opening(bad, key=small.key, asked=on_asked)


def test_com_open_4_an_opening_stands_at_its_own_index(small):
    moved = Opening.from_bytes(raw(opening(small, 3, index=4)), what="opening", limit=1 << 20)
    with broken("com-open-4", OpeningError):
        verify_opening(moved, key=small.key, asked=bytes.fromhex(asked(small, 3)["inputs"]))
    outside = Opening.from_bytes(raw(opening(small, 3, index=35)), what="opening", limit=1 << 20)
    with broken("com-open-4", OpeningError):
        verify_opening(outside, key=small.key, asked=bytes.fromhex(asked(small, 3)["inputs"]))


def test_com_open_3_other_inputs_than_committed_are_a_miss_even_if_they_were_asked(large):
    """The claimant asks an input that she never committed to, and opens it."""
    index = next(i for i in range(16) if not large.ghost(i))
    leaves = [asked(large, i) for i in range(16)]
    leaves[index]["inputs"] = sha256(frame(b"y" * 12)).hexdigest()
    openings = [opening(large, i) for i in range(16)]
    openings[index]["inputs"] = [b64(b"y" * 12)]
    play = Play(large).begin().ask(leaves=leaves).answer().open(openings=openings)
    assert findings(play) == [("com-open-4", "claimant")]
    assert found(play.audit()) == truth(play)
    honest_opening = Play(large).begin().ask(leaves=leaves).answer().open()
    assert findings(honest_opening) == [("com-open-3", "claimant")]


def test_dis_open_3_a_leaf_that_is_not_opened_is_a_miss(large):
    ghost = next(i for i in range(16) if large.ghost(i))
    marked = next(i for i in range(16) if not large.ghost(i))
    for index in (ghost, marked):
        play = Play(large).begin().round([i for i in range(16) if i != index])
        assert findings(play) == [("dis-open-3", "claimant")]
        assert found(play.audit()) == truth(play)
    nothing = Play(large).begin().round([])
    assert findings(nothing) == [("dis-open-3", "claimant")] * 16
    assert found(nothing.audit()) == truth(nothing)
    assert found(nothing.audit()).marked == 16


def test_dis_open_3_a_claimant_who_stops_after_the_answer_has_missed(large):
    play = Play(large).begin().ask().answer().stop()
    assert findings(play) == [("dis-open-3", "claimant")] * 16
    assert found(play.audit()) == truth(play)


def test_dis_open_2_a_ghost_counts_neither_for_nor_against(large):
    ghosts = [i for i in range(16) if large.ghost(i)]
    hit = Play(large).begin().round()
    missed = Play(large, large.thief(ghosts)).begin().round()
    silent = Play(large, lambda i: None if i in ghosts else large.label(i)).begin().round()
    for play in (hit, missed, silent):
        assert found(play.audit()) == truth(play)
        assert play.audit().outcome.evidence.wealth == hit.audit().outcome.evidence.wealth
    assert hit.audit().outcome.evidence.ghost_hits == len(ghosts)
    assert missed.audit().outcome.evidence.ghost_hits == silent.audit().outcome.evidence.ghost_hits == 0


@pytest.mark.parametrize("said", ["ask", "answer"])
def test_dis_open_3_blames_nobody_where_the_transcript_ends(small, said):
    play = Play(small).begin().ask()
    play = play.answer() if said == "answer" else play
    assert findings(play) == [("dis-open-3", "unknown")] * 16


def test_dis_open_3_blames_nobody_where_the_arbitrator_cut_in(small):
    play = Play(small).begin().ask().answer().decide()
    assert ("dis-open-3", "claimant") not in findings(play)


# --- stop and decide -----------------------------------------------------------------------------------------------


def test_dis_decide_1_decide_names_this_admit_and_these_rounds(small):
    for lie in ({"rounds": 0}, {"rounds": 2}, {"admit": seed("another admit")}, {"rounds": 2**53 - 1}):
        with broken("dis-decide-1", fault="arbitrator"):
            Play(small).begin().round().stop().decide(**lie).audit()


@pytest.mark.parametrize("kind", ["ready", "asked", "answered"])
def test_dis_decide_2_deciding_early_is_the_arbitrators_fault(small, kind):
    play = in_phase(small, kind).decide()
    assert ("dis-decide-2", "arbitrator") in findings(play)
    assert play.audit().outcome.verdict == "NOT SHOWN"


def test_dis_decide_2_deciding_inside_the_last_round_is_early(small):
    for play in (Play(small).begin(count=16).ask(), Play(small).begin(count=16).ask().answer()):
        assert ("dis-decide-2", "arbitrator") in findings(play.decide())


def test_dis_decide_2_live_and_audit_find_the_same(small):
    from wmproto.dispute.outcome import decide

    play = Play(small).begin(count=16).ask()
    dispute = play.live()
    envelope = roles(small)[2].decide(dispute)
    dispute.receive(envelope)
    live = [(f.rule, f.fault) for f in decide(dispute).findings]
    assert live == findings(play.add("decide", envelope))
    assert ("dis-decide-2", "arbitrator") in live


def test_reading_the_verdict_so_far_changes_nothing(small):
    from wmproto.dispute.outcome import decide

    play = Play(small).begin().ask().answer()
    dispute = play.live()
    decide(dispute)
    play.open()
    dispute.receive(play.lines[-1].message)
    assert decide(dispute) == decide(play.live())


def test_dis_decide_2_deciding_when_it_is_over_is_no_fault(small, large):
    honest(Play(small).begin().round().round().decide())
    honest(Play(small).begin().round().stop().decide())
    honest(Play(small).begin().stop().decide())
    honest(Play(large).begin().round().round().decide("DEPENDENT"), "DEPENDENT")
    inadmissible(Play(small).begin(8, 16).decide("INADMISSIBLE"), "starts at leaf 8")
    assert findings(Play(small).begin(8, 16).decide("INADMISSIBLE")) == []


@pytest.mark.parametrize("verdict", ["DEPENDENT", "INADMISSIBLE"])
def test_dis_decide_3_a_wrong_verdict_is_a_finding_and_changes_nothing(small, large, verdict):
    play = Play(small).begin().round().round().decide(verdict)
    assert findings(play) == [("dis-decide-3", "arbitrator")]
    assert play.audit().outcome.verdict == "NOT SHOWN"
    play = Play(large).begin().round().round().decide("NOT SHOWN")
    assert findings(play) == [("dis-decide-3", "arbitrator")]
    assert play.audit().outcome.verdict == "DEPENDENT"


def test_a_verdict_that_this_version_does_not_have_is_malformed(small):
    for verdict in ("MARK ABSENT", "OBSTRUCTED", "GROUND FOR ESCROW", "dependent", ""):
        with malformed("verdict"):
            Play(small).begin().stop().decide(verdict).audit()


def test_dis_decide_3_an_auditors_own_bits_blame_nobody(large):
    play = Play(large).whole(2, "DEPENDENT")
    strict = large.trust.model_copy(update={"bits": 400})
    audited = play.audit(strict)
    assert audited.outcome.verdict == "NOT SHOWN"
    assert audited.outcome.findings == ()


def test_dis_decide_4_a_decide_without_a_receipt_is_a_finding(small):
    play = Play(small).begin().stop().say_decide()
    assert [rule for rule, _ in findings(play)] == ["dis-decide-4"]


def test_dis_decide_4_blames_nobody(small):
    assert findings(Play(small).begin().stop().say_decide()) == [("dis-decide-4", "unknown")]


def test_dis_decide_4_the_receipt_is_two_proofs(small):
    play = Play(small).begin().stop().decide()
    one, two = play.lines[-1].receipts
    for receipts in ([one], [two], [one, two, two], [one, two, one]):
        with broken("dis-decide-4", InclusionError):
            play.fork().logged(receipts).audit()


def test_dis_decide_5_the_receipt_is_verified(small):
    play = Play(small).begin().stop().decide()
    one, two = play.lines[-1].receipts
    for receipts in ([two, one], [one, one], [two, two]):
        with broken("enc-tree-3", InclusionError):
            play.fork().logged(receipts).audit()
    with pytest.raises(FormatError):
        play.fork().logged([b"x", two]).audit()
    with pytest.raises(FormatError):
        play.fork().logged([one, b""]).audit()
    strange = PaperLog(STRANGER, kept=small.log.kept)
    with broken("reg-note-3", SignatureError):
        play.fork().logged(strange.receipts([play.leaf("decide"), play.leaf("admit")])).audit()


def test_dis_decide_5_both_proofs_stand_under_one_checkpoint(small):
    play = Play(small).begin().stop().decide()
    later = small.log.pad().receipts([play.leaf("admit")])[0]
    with pytest.raises(InclusionError) as err:
        play.fork().logged([play.lines[-1].receipts[0], later]).audit()
    assert err.value.rule == "dis-decide-5"


def test_dis_decide_5_two_checkpoints_blame_nobody(small):
    play = Play(small).begin().stop().decide()
    later = small.log.pad().receipts([play.leaf("admit")])[0]
    with broken("dis-decide-5", InclusionError, "unknown"):
        play.fork().logged([play.lines[-1].receipts[0], later]).audit()


def test_dis_decide_5_admit_stands_where_it_stood(small):
    play = Play(small).begin().stop().say_decide()
    fork = PaperLog(kept=small.log.kept[:1]).pad()
    fork.add("admit", play.lines[2].message)
    fork.add("decide", play.lines[-1].message)
    with broken("dis-decide-5", InclusionError, "registry"):
        play.logged(fork.receipts([play.leaf("decide"), play.leaf("admit")])).audit()


def test_dis_decide_5_decide_stands_above_the_checkpoint_of_admit(small):
    """decide holds the hash of admit's receipt: a log in which it already stood then has signed two pasts."""
    play = Play(small).file().bind().say_admit()
    small.log.add("admit", play.lines[2].message)
    small.log.pad()
    play.log_admit().stop().say_decide()
    fork = small.log.fork(2)
    fork.add("decide", play.lines[-1].message)
    fork.pad()
    assert fork.leaves().index(play.leaf("decide")) == 2 < 3
    with broken("dis-decide-5", InclusionError, "registry"):
        play.fork().logged(fork.receipts([play.leaf("decide"), play.leaf("admit")])).audit()


def test_dis_decide_5_the_tree_of_decide_has_grown(small):
    play = Play(small).file().bind().say_admit()
    small.log.add("admit", play.lines[2].message)
    small.log.pad(2)
    play.log_admit().stop().say_decide()
    fork = small.log.fork(2)
    fork.add("decide", play.lines[-1].message)
    same_size = fork.fork().pad()
    for log in (fork, same_size):
        with broken("dis-decide-5", InclusionError, "registry"):
            play.fork().logged(log.receipts([play.leaf("decide"), play.leaf("admit")])).audit()


def test_dis_decide_5_a_receipt_with_a_witness_line_proves_the_same(small):
    play = Play(small).begin().stop().decide()
    one, two = play.lines[-1].receipts
    honest(play.fork().logged([with_extra_line(one), with_extra_line(two)]))


def test_dis_decide_5_decides_receipt_is_verified_in_an_inadmissible_dispute(small):
    play = Play(small).file().bind().say_admit().round().say_decide("INADMISSIBLE").logged([b"junk"])
    with pytest.raises((VerificationError, FormatError)):
        play.audit()


# --- the verdict ---------------------------------------------------------------------------------------------------


def test_dis_verdict_1_a_problem_comes_before_everything(large):
    play = Play(large).file(key_receipt=b64(b"x")).bind().admit().round().round()
    audited = inadmissible(play, "the receipt of the key")
    assert found(audited).dependent


def test_dis_verdict_2_bits_are_the_largest_of_three(large):
    policy = {"bits": 190, "suspects_log2": 24}
    digest = WMPROTO_1.hash("policy", raw(policy))

    def at(bits):
        play = Play(large).file(policy=digest).bind().admit(policy=policy).round().round()
        return play.audit(large.trust.model_copy(update={"bits": bits})).outcome.bits

    assert (at(0), at(100), at(190), at(191)) == (190, 190, 190, 191)
    low = {"bits": 100, "suspects_log2": 24}
    play = Play(large).file(policy=WMPROTO_1.hash("policy", raw(low))).bind().admit(policy=low)
    assert play.audit().outcome.bits == 160


def test_dis_verdict_2_a_policy_of_more_bits_lets_the_dispute_go_on(large):
    policy = {"bits": 300, "suspects_log2": 24}
    play = Play(large).file(policy=WMPROTO_1.hash("policy", raw(policy))).bind().admit(policy=policy)
    play.round().round()
    assert found(play.audit()) == truth(play, 300)
    assert play.audit().outcome.verdict == "NOT SHOWN"
    play.round()
    assert found(play.audit()) == truth(play, 300)
    assert play.audit().outcome.verdict == "DEPENDENT"


def test_dis_verdict_3_dependent_is_final_at_the_first_leaf_that_reaches_it(large):
    """What comes after it in the same round, opened or not, changes nothing."""
    full = Play(large).begin().round().round()
    fires_at = found(full.audit()).asked
    assert fires_at == truth(full).asked == 23
    bad = Play(large).begin().round().round(range(16, fires_at))
    assert bad.audit().outcome.verdict == "DEPENDENT"
    assert bad.audit().outcome.evidence == full.audit().outcome.evidence
    short = Play(large).begin().round().round(range(16, fires_at - 1))
    assert short.audit().outcome.verdict == "NOT SHOWN"


def test_dis_verdict_3_an_ending_changes_no_verdict(large):
    play = Play(large).begin().round().round()
    for end in (play.fork().stop(), play.fork().decide("DEPENDENT"), play.fork().say_decide("NOT SHOWN"), play):
        assert end.audit().outcome.verdict == "DEPENDENT"
        assert found(end.audit()) == truth(play)


def test_the_bound_counts_the_keys_of_a_large_log_and_the_suspects_of_the_policy(small):
    play = Play(small).begin()
    assert play.audit().outcome.assumptions.K == 1 << 17
    assert play.audit().outcome.assumptions.S == 1 << 24


# --- trust and copies of the log -----------------------------------------------------------------------------------


def test_dis_trust_1_everybody_the_evidence_rests_on_is_named(small):
    play = everything_said(small)
    honest(play, trust=small.trust)
    for lie in (
        {"arbitrators": (OTHER.public,)},
        {"owners": (STRANGER.public,)},
        {"respondents": (OWNER.public,)},
        {"log": PaperLog(STRANGER).vkey},
        {"log": PaperLog(LOG, "other.test/1").vkey},
        {"arbitrators": (RESPONDENT.public,), "respondents": (ARBITRATOR.public,)},
    ):
        with broken("dis-trust-1", TrustError):
            play.audit(small.trust.model_copy(update=lie))


def test_dis_trust_1_nobody_who_has_not_spoken_yet_needs_to_be_named(small):
    nobody = small.trust.model_copy(update={"respondents": (STRANGER.public,)})
    honest(Play(small).file(), trust=nobody)
    with broken("dis-trust-1", TrustError):
        Play(small).file().bind().audit(nobody)


@pytest.mark.parametrize("both", ["owner and arbitrator", "respondent and arbitrator"])
def test_dis_trust_1_nobody_judges_in_her_own_case(small, both):
    """A trust file names people one by one: one who arbitrates for others and has a key of her own is in two lists."""
    if both == "owner and arbitrator":
        trust = small.trust.model_copy(update={"arbitrators": (ARBITRATOR.public, OWNER.public)})
        play = Play(small).file(arbitrator=OWNER.public).bind().say_admit(by=OWNER)
    else:
        trust = small.trust.model_copy(update={"respondents": (RESPONDENT.public, ARBITRATOR.public)})
        play = Play(small).file().bind(by=ARBITRATOR).say_admit()
    with pytest.raises(VerificationError):
        play.audit(trust)


def test_dis_log_1_the_copy_is_as_long_as_the_dispute(small):
    play = everything_said(small)
    size = len(small.log.kept)
    honest(play, log_copy=small.log.copy())
    for short in range(size - 1):
        with broken("dis-log-1"):
            play.audit(log_copy=small.log.copy(short))
    honest(play, log_copy=small.log.copy(size - 1))  # without decide


def test_dis_log_1_says_nothing_of_a_dispute_that_was_not_logged(small):
    inadmissible(Play(small).file().bind().say_admit().round(), "not logged", log_copy=small.log.copy())


def test_a_copy_in_which_nothing_was_looked_up_is_not_a_check(small):
    assert Play(small).file().bind().audit(log_copy=small.log.copy()).log_size is None


def test_dis_log_3_the_copy_has_the_past_that_the_receipt_shows(small):
    play = everything_said(small)
    fork = small.log.fork(2).pad(3)
    with broken("dis-log-3", VerificationError, "registry"):
        play.audit(log_copy=fork.copy())


def test_the_copy_is_of_the_log_that_was_addressed(small):
    play = everything_said(small)
    strange = PaperLog(STRANGER, kept=small.log.kept)
    with broken("reg-note-3", SignatureError):
        play.audit(log_copy=strange.copy())


def test_dis_log_4_the_copy_shows_an_earlier_dispute_that_admit_hides(small):
    first = Play(small).whole(1, "NOT SHOWN", count=16)
    both = [first.logged_entry("admit"), first.logged_entry("decide")]
    hiding = second(small, first, [])
    honest(hiding)
    inadmissible(hiding, "does not list an earlier entry", log_copy=small.log.copy())
    half = second(small, first, both[:1])
    inadmissible(half, "does not list an earlier entry", log_copy=small.log.copy())


def test_dis_log_4_an_honest_list_stands(small):
    first = Play(small).whole(1, "NOT SHOWN", count=16)
    play = second(small, first, [first.logged_entry("admit"), first.logged_entry("decide")])
    play.round().decide()
    audited = honest(play, log_copy=small.log.copy(), trust=small.trust)
    assert audited.log_size == len(small.log.kept)


def test_dis_log_4_leaves_are_taken_as_the_copy_shows():
    """Listed or not, a range below what is taken is found, once."""
    of = cast(n=32)
    first = Play(of).whole(1, "NOT SHOWN", count=16)
    hiding = second(of, first, [], start=0)
    inadmissible(hiding, "does not list an earlier entry", log_copy=of.log.copy())


def test_dis_log_3_the_head_has_the_past_of_the_copy(small):
    """The log showed the arbitrator another past than it signs now; she kept the proof of it in her admit."""
    shown = PaperLog().pad()
    play = Play(small).file().bind().admit(head=shown.checkpoint()).round().round().decide()
    with broken("dis-log-3", VerificationError, "registry"):
        play.audit(log_copy=small.log.copy())


@pytest.mark.parametrize("which", ["key", "decide"])
def test_dis_log_3_every_checkpoint_in_the_transcript_has_the_past_of_the_copy(small, which):
    """The log shows the claimant one past and everybody else another; the transcript holds its signature under both."""
    shown = PaperLog().pad(2)
    shown.add("key", small.key.envelope)
    receipt = shown.receipts([shown.leaves()[-1]])[0]
    play = Play(small).file(**({"key_receipt": b64(receipt)} if which == "key" else {})).bind().admit().stop()
    play.say_decide()
    fork = small.log.fork()
    fork.add("decide", play.lines[-1].message)
    play.logged(fork.receipts([play.leaf("decide"), play.leaf("admit")]))
    if which == "key":
        small.log.add("decide", play.lines[-1].message)
    small.log.pad(3)
    with broken("dis-log-3", VerificationError, "registry"):
        play.audit(log_copy=small.log.copy())


def test_dis_log_5_the_end_in_the_log_is_the_transcripts(small):
    """The first decide of this arbitrator under this admit; strangers' and later ones are passed over."""
    play = Play(small).begin().round()
    cut = play.fork()
    for by in (STRANGER, OTHER, OWNER, RESPONDENT):
        small.log.add("decide", play.fork().say_decide(by=by, rounds=0).lines[-1].message)
    small.log.add("decide", play.fork().say_decide(admit=seed("another admit")).lines[-1].message)
    small.log.add("decide", play.fork().say_decide(about=seed("another key")).lines[-1].message)
    small.log.add("key", play.fork().say_decide(rounds=0).lines[-1].message)  # logged as something else
    small.log.add("decide", ARBITRATOR.envelope(b"no message"))
    honest(cut, log_copy=small.log.copy())
    play.stop().decide()
    honest(play, log_copy=small.log.copy())
    two = small.log.fork()
    two.add("decide", play.fork().say_decide(rounds=0).lines[-1].message)
    (found,) = play.audit(log_copy=two.copy()).outcome.findings  # she signed two
    assert (found.rule, found.fault) == ("dis-log-5", "arbitrator")
    (found,) = cut.audit(log_copy=small.log.copy()).outcome.findings
    assert (found.rule, found.fault) == ("dis-log-5", "unknown")
    assert found.text.endswith("NOT SHOWN, rounds asked: 1")


def test_dis_log_5_a_decide_off_the_chain_does_not_void_what_the_arbitrator_signed(large):
    """She answered, the claimant opened, E is 2^166; then she logs a decide over no link of this chain."""
    play = Play(large).begin().round().round()
    bought = play.fork().say_decide(previous=seed("nothing"), rounds=0)
    large.log.add("decide", bought.lines[-1].message)
    assert play.audit(large.trust).outcome.verdict == "DEPENDENT"
    audited = play.audit(large.trust, large.log.copy())
    assert audited.outcome.verdict == "DEPENDENT"
    (found,) = audited.outcome.findings
    assert (found.rule, found.fault) == ("dis-log-5", "arbitrator")


@pytest.mark.parametrize(
    ("at", "fault"), [("ask", "arbitrator"), ("answer", "arbitrator"), ("open", "arbitrator"), ("stop", "unknown")]
)
def test_dis_log_5_where_a_decide_is_chained_tells_whose_fault_it_is(large, at, fault):
    """A decide within a round, or before the end, is signed against the rules; after a stop it is hers to say."""
    play = Play(large).begin()
    for step in ("ask", "answer", "open", "stop"):
        getattr(play, step)()
        if step == at:
            large.log.add("decide", play.fork().say_decide(rounds=1).lines[-1].message)
    (found,) = [f for f in play.audit(large.trust, large.log.copy()).outcome.findings if f.rule == "dis-log-5"]
    assert found.fault == fault


def test_dis_log_4_what_came_in_between_blames_nobody_who_did_not_go_on(large):
    """Somebody else's admit of this key was logged between head and admit; she stops at once (dis-admit-6)."""
    play = Play(large).file().bind().say_admit()
    rival = Play(large).file(arbitrator=OTHER.public).bind().say_admit(by=OTHER)
    large.log.add("admit", rival.lines[-1].message)
    play.log_admit()
    honest_end = play.fork().stop().decide()
    outcome = honest_end.audit(large.trust, large.log.copy()).outcome
    assert [(p.rule, p.fault) for p in outcome.problems] == [("dis-log-4", "nobody")]
    assert outcome.findings == ()  # her NOT SHOWN was right by what she knew
    went_on = play.fork().ask().answer()
    outcome = went_on.audit(large.trust, large.log.copy()).outcome
    assert [(p.rule, p.fault) for p in outcome.problems] == [("dis-log-4", "arbitrator")]


def test_dis_admit_5_receipts_that_nobody_signed_blame_nobody(large):
    """Whoever holds the file can put anything in the place of admit's receipts; a later answer takes them up."""
    play = Play(large).file().bind().say_admit().logged([b"junk"])
    (problem,) = play.audit(large.trust).outcome.problems
    assert (problem.rule, problem.fault) == ("dis-admit-5", "unknown")
    (problem,) = play.fork().ask().audit(large.trust).outcome.problems
    assert problem.fault == "unknown"  # the claimant's word alone
    (problem,) = play.fork().ask().answer().audit(large.trust).outcome.problems
    assert problem.fault == "arbitrator"


def test_dis_open_3_a_claimant_who_waits_in_vain_may_stop(large):
    """No answer came: there was nothing to open."""
    found = Play(large).begin().ask().stop().audit(large.trust).outcome.findings
    assert {(f.rule, f.fault) for f in found} == {("dis-open-3", "unknown")}
    found = Play(large).begin().ask().answer().stop().audit(large.trust).outcome.findings
    assert {(f.rule, f.fault) for f in found} == {("dis-open-3", "claimant")}


def test_ghosts_that_were_embedded_are_told(large):
    """A model that answers ghosts by their labels knows what nobody should have taught it."""
    knows_all = Play(large, large.label).begin().round().round()
    assert any("did labels leak, or were ghosts embedded?" in line for line in audit_lines(knows_all.audit()))
    honest_thief = Play(large, lambda i: (large.label(i) + large.ghost(i)) % 1000).begin().round().round()
    assert any("(as luck has it)" in line for line in audit_lines(honest_thief.audit()))


def test_a_name_does_not_turn_the_text_around(large):
    """A log may be called what its operator likes; a reader's terminal shows it as it is."""
    audited = Play(large).begin().round().audit()
    object.__setattr__(audited.dispute.log, "name", "log.test/\u202eTNEDNEPED\u3164")
    lines = audit_lines(audited)
    assert any("log.test/\\u202eTNEDNEPED\\u3164" in line for line in lines)
    assert all(line.isprintable() for line in lines)


def test_an_old_copy_says_how_far_it_reaches(large):
    """A copy that ends at admit is accepted; what it cannot show is still said."""
    play = Play(large).begin().round().round()
    size = len(large.log.kept)
    words = cannot_know(play.audit(large.trust, large.log.copy()))
    assert any(
        "only end of this dispute" in line and f"after entry {size - 1}, the copy's last" in line for line in words
    )


def test_dis_log_5_blames_only_who_signed_against_herself(large):
    """Cutting a transcript is free to whoever holds it: no cut of an honest one blames anybody."""
    play = Play(large).begin().round().round().decide("DEPENDENT")
    for steps in range(3, len(play.lines)):
        cut = play.fork()
        del cut.lines[steps:]
        found = [f for f in cut.audit(large.trust, large.log.copy()).outcome.findings if f.rule == "dis-log-5"]
        assert [f.fault for f in found] == ["unknown"], steps


# --- replay --------------------------------------------------------------------------------------------------------


def test_dis_replay_1_the_weights_are_the_bound_ones(small):
    play = everything_said(small)
    with broken("dis-replay-1"):
        replay(play.parsed(), play.live(), small.known(small.thief()), model=seed("other weights"))


def test_dis_replay_2_the_weights_answer_what_the_transcript_says(small):
    play = everything_said(small)
    assert replay(play.parsed(), play.live(), small.known(small.thief()), model=seed("some model")).answered == 32
    with broken("dis-replay-2", fault="arbitrator", match="leaf 9"):
        replay(play.parsed(), play.live(), small.known(small.thief([9, 30])), model=seed("some model"))


def test_dis_replay_2_a_refusal_that_was_none_is_found(small):
    play = Play(small, lambda i: None).begin().round()
    with broken("dis-replay-2", fault="arbitrator", match="leaf 0"):
        replay(play.parsed(), play.live(), small.known(small.thief()), model=seed("some model"))


def test_replay_asks_only_what_was_opened_well(small):
    openings = [opening(small, i) for i in range(16)]
    openings[3]["inputs"] = [b64(b"z" * 12)]
    play = Play(small).begin().ask().answer().open(openings=[*openings[:5], *openings[6:]])
    assert replay(play.parsed(), play.live(), small.known(small.thief([3, 5])), model=seed("some model")).answered == 14


@pytest.mark.parametrize("phase", ["filed", "bound"])
def test_replay_of_a_dispute_without_answers_is_refused_in_words(small, phase):
    play = in_phase(small, phase)
    with pytest.raises((VerificationError, FormatError, StateError, ConfigError)):
        replay(play.parsed(), play.live(), small.known(small.thief()), model=seed("some model"))


# --- the key statement ---------------------------------------------------------------------------------------------


def z_with(**lies):
    def change(value):
        value["predicate"] |= jsonable(lies)

    return resigned(cast().key.envelope, change)


@pytest.mark.parametrize(
    ("lies", "name"),
    [
        ({"mode": "S"}, "label mode 'S'"),
        ({"mode": "P"}, "label mode 'P'"),
        ({"labels": "public"}, "labels 'public'"),
        ({"q": 2}, "q 2"),
        ({"q": 0}, "q 0"),
        ({"suite": "poseidon"}, "suite 'poseidon'"),
        ({"label_source": "drand:1"}, "label source 'drand:1'"),
        ({"input": {"dtype": "float32", "kind": "image", "shape": [2, 2, 3]}}, "input dtype 'float32'"),
        ({"input": {"dtype": "uint8", "kind": "text", "shape": [12]}}, "input kind 'text'"),
    ],
)
def test_com_z_9_what_is_not_supported_is_refused_by_name(lies, name):
    with unsupported(re.escape(name)):
        verify_key(z_with(**lies), profile=WMPROTO_1)
    of = cast()
    play = Play(of)
    play.key_envelope = z_with(**lies)
    of.log.add("key", play.key_envelope)
    with unsupported(re.escape(name)):
        play.file().audit()


@pytest.mark.parametrize(
    ("lies", "match"),
    [
        ({"profile": "wmproto/2"}, "profile 'wmproto/2'"),
        ({"N": 0}, "N = 0"),
        ({"N": 24}, "N = 24"),
        ({"N": 2064}, "N = 2064"),
        ({"N": 65536 + 2048}, "N = 67584"),
        ({"classes": ["a", "a"]}, "same name"),
        ({"m": 3}, "m = 3"),
        ({"m": 1}, "m = 1"),
        ({"m": 0}, "m = 0"),
        ({"classes": ["a"], "m": 1}, "classes"),
        ({"classes": ["a", "b\n"]}, "classes"),
        ({"classes": ["a", ""]}, "classes"),
        ({"input": {"dtype": "uint8", "kind": "image", "shape": [1024, 1024, 1]}}, "an input of 1048576 bytes"),
        ({"input": {"dtype": "uint8", "kind": "image", "shape": []}}, "shape"),
        ({"input": {"dtype": "uint8", "kind": "image", "shape": [0, 2, 3]}}, "shape"),
        ({"input": {"dtype": "uint8", "kind": "image", "shape": [2.0, 2, 3]}}, "not an integer"),
        ({"mode": "X"}, "mode"),
        ({"lambda": 3}, "lambda"),
        ({"R": seed("another root")}, "subject is not"),
        ({"classes": ["c" * 127 + str(i) for i in range(10)] * 30}, "bytes are more than"),
    ],
)
def test_com_z_a_statement_that_breaks_a_rule_is_malformed(lies, match):
    with malformed(match):
        verify_key(z_with(**lies), profile=WMPROTO_1)


def test_com_z_2_the_statement_is_signed_by_the_owner_it_names():
    with broken("com-z-2", SignatureError, "owner"):
        verify_key(z_with(owner=STRANGER.public), profile=WMPROTO_1)
    with broken("enc-ed25519-2", SignatureError):
        verify_key(forged(cast().key.envelope), profile=WMPROTO_1)


def test_com_z_8_there_is_one_subject_named_root():
    def renamed(value):
        value["subject"][0]["name"] = "key"

    def doubled(value):
        value["subject"] *= 2

    def other(value):
        value["subject"][0]["digest"]["sha256"] = "00" * 32

    for change in (renamed, doubled, other):
        with malformed("subject"):
            verify_key(resigned(cast().key.envelope, change), profile=WMPROTO_1)


def test_com_z_10_every_field_of_the_statement_changes_every_label():
    """key_id and beta hang on all of Z: whatever is changed, the labels are drawn again."""
    true = cast(n=64, classes=1000)
    for lies in ({"keyctx": seed("x")}, {"N": 48}, {"input": {"dtype": "uint8", "kind": "image", "shape": [12]}}):
        other = verify_key(
            resigned(true.key.envelope, lambda v, w=lies: v["predicate"].update(jsonable(w))), profile=WMPROTO_1
        )
        assert other.key_id != true.key.key_id
        assert other.beta != true.key.beta
        changed = cast(n=64, classes=1000)
        changed.key = other
        assert sum(changed.label(i) == true.label(i) for i in range(64)) <= 2


# --- the release ---------------------------------------------------------------------------------------------------


def rel_with(**lies):
    return resigned(cast().unlogged_release(), lambda v: v["predicate"].update(jsonable(lies)))


def test_rel_1_the_release_is_signed_and_of_this_profile():
    with broken("enc-ed25519-2", SignatureError):
        verify_release(forged(rel_with()), profile=WMPROTO_1)
    with malformed("profile 'wmproto/2'"):
        verify_release(rel_with(profile="wmproto/2"), profile=WMPROTO_1)
    with malformed("unknown|zzz"):
        verify_release(rel_with(zzz=1), profile=WMPROTO_1)
    with malformed("more than"):
        verify_release(rel_with(key_receipt=b64(b"x" * (1 << 20))), profile=WMPROTO_1)
    with unsupported("salted release"):
        verify_release(rel_with(salt="pepper"), profile=WMPROTO_1)


def test_rel_2_the_signer_is_the_owner_that_the_release_names():
    with broken("rel-2", VerificationError, "owner"):
        verify_release(rel_with(owner=STRANGER.public), profile=WMPROTO_1)


def test_rel_6_the_model_follows_from_tensors_and_architecture():
    tensor = {"digest": "00" * 32, "dtype": "F32", "name": "w", "shape": [1]}
    for lies in (
        {"model": seed("another")},
        {"architecture": {"made-up": "other"}},
        {"architecture": {}},
        {"tensors": [tensor]},
    ):
        with malformed("does not follow"):
            verify_release(rel_with(**lies), profile=WMPROTO_1)
    for tensors in ([tensor, tensor], [tensor | {"name": "x"}, tensor]):
        with malformed("not in byte order, or repeat"):
            verify_release(rel_with(tensors=tensors), profile=WMPROTO_1)
    with malformed("tensors"):
        verify_release(rel_with(tensors=[]), profile=WMPROTO_1)


def test_rel_3_the_owner_is_the_keys(small):
    release = verify_release(small.unlogged_release("x", STRANGER), profile=WMPROTO_1)
    with broken("rel-3", VerificationError, "claimant"):
        check_release_of(release, small.key)


@pytest.mark.parametrize("lie", [{"key_id": seed("another")}, {"beta": seed("another")}])
def test_rel_4_the_release_speaks_of_this_key_and_its_labels(small, lie):
    release = verify_release(small.unlogged_release("x", **lie), profile=WMPROTO_1)
    with broken("rel-4", VerificationError, "claimant"):
        check_release_of(release, small.key)


LINEAR = {
    "grammar": "layers/1",
    "input": {"dtype": "uint8", "shape": [2]},
    "layers": [
        {"op": "affine", "scale": [[1, 255], [1, 255]], "shift": [[0, 1], [0, 1]]},
        {"bias": True, "features": 2, "op": "linear"},
    ],
}
TENSORS = [
    {"digest": "11" * 32, "dtype": "F32", "name": "1.bias", "shape": [2]},
    {"digest": "22" * 32, "dtype": "F32", "name": "1.weight", "shape": [2, 2]},
]


def release_of(architecture, tensors):
    model = WMPROTO_1.hash("model", tree_root([bytes.fromhex(t["digest"]) for t in tensors]), raw(architecture))
    made = verify_release(rel_with(architecture=architecture, tensors=tensors, model=model), profile=WMPROTO_1)
    return made.release


def test_rel_9_the_architecture_is_in_the_grammar_and_the_tensors_are_its_own():
    """``verify_release`` leaves this to ``release verify``: a verdict rests on h_f alone."""
    check_grammar(release_of(LINEAR, TENSORS))
    one = {"digest": tree_root([bytes([n]) * 32 for n in (0x11, 0x22)]), "dtype": "F32", "name": "1.bias", "shape": [2]}
    for architecture, tensors in (
        ({"made-up": "x"}, TENSORS),
        (LINEAR | {"x": 1}, TENSORS),
        (LINEAR, TENSORS[:1]),
        (LINEAR, [TENSORS[0] | {"name": "0.bias"}, TENSORS[1]]),
        (LINEAR, [TENSORS[0], TENSORS[1] | {"dtype": "F64"}]),
        (LINEAR, [TENSORS[0], TENSORS[1] | {"shape": [4]}]),
        (LINEAR, [jsonable(one)]),  # one tensor that stands for two: the same root, the same h_f
    ):
        with pytest.raises(FormatError):
            check_grammar(release_of(architecture, tensors))
    assert release_of(LINEAR, [jsonable(one)]).model == release_of(LINEAR, TENSORS).model


def test_rel_10_file_names_are_different():
    def twice(value):
        value["subject"] *= 2

    with pytest.raises(FormatError):
        verify_release(resigned(cast().unlogged_release(), twice), profile=WMPROTO_1)


# --- resuming ------------------------------------------------------------------------------------------------------


def test_dis_resume_3_another_model_or_key_is_another_dispute(small):
    saved = []
    held(small, saved=saved)
    with pytest.raises(ConfigError, match="another model"):
        held(small, resume=saved[3], model=seed("other weights"))
    other = cast(name="other", log=small.log)
    with pytest.raises(ConfigError, match="another key"):
        held(other, resume=saved[3])


def test_dis_resume_3_the_settings_are_those_of_admit(small):
    saved = []
    held(small, saved=saved)
    other = small.known(small.thief())
    other.settings = SETTINGS | {"libraries": [{"digest": "00" * 32, "name": "torch", "version": "3"}]}
    with pytest.raises((ConfigError, StateError)):
        held(small, resume=saved[4], suspect=other)


def test_a_false_transcript_is_not_resumed(small):
    saved = []
    held(small, saved=saved)
    play = everything_said(cast())
    play.lines[4].message = forged(play.lines[4].message)
    with pytest.raises(VerificationError):
        held(small, resume=play.parsed())


def test_no_leaf_is_asked_of_a_dispute_that_is_not_admitted(small):
    for phase in ("filed", "bound", "admitted", "closed"):
        session = Session(lambda _: None, resume=in_phase(small, phase).parsed())
        with pytest.raises(StateError, match="no leaf is asked"):
            session.rounds(*roles(small)[::2], small.known(small.thief()))
    session = Session(lambda _: None, resume=Play(small).begin(8, 16).parsed())
    with pytest.raises(StateError, match="no leaf is asked"):
        session.rounds(*roles(small)[::2], small.known(small.thief()))


def test_a_claimant_opens_nothing_before_the_answers_are_signed(small):
    """An opening cannot be taken back: the role itself should refuse, not only the machine that hears it too late."""
    claimant, play = roles(small)[0], Play(small).begin().ask()
    dispute = play.live()
    with pytest.raises(StateError):
        claimant.open(dispute, dispute.pending)
    answered = play.fork().answer().live()
    other = Play(small).begin().round().ask().live().pending
    with pytest.raises(StateError):
        claimant.open(answered, other)


def test_a_claimant_is_the_owner_with_her_leaves(small):
    with pytest.raises(ConfigError):
        Claimant(small.key, small.leaves, STRANGER)
    with pytest.raises(ConfigError):
        Claimant(small.key, cast(name="other").leaves, OWNER)


# --- all rules are here --------------------------------------------------------------------------------------------


def test_every_rule_that_is_raised_has_a_test_here():
    package = Path(wmproto.__file__).parent
    raised = set()
    for folder in ("dispute", "commitment", "release"):
        for path in (package / folder).glob("*.py"):
            raised |= set(re.findall(r"(?:rule=|Finding\(|, )\"((?:dis|com|rel)-[a-z0-9-]+)\"", path.read_text()))
    here = Path(__file__).read_text() + Path(__file__).with_name("test_spine.py").read_text()
    assert len(raised) > 40
    assert {rule for rule in raised if f'"{rule}"' not in here and rule.replace("-", "_") not in here} == set()


def test_forge_tells_the_truth_unless_told_otherwise():
    """The same dispute by ``hold`` and by ``Play``: the same bytes."""
    of, again = cast(n=64, classes=1000), cast(n=64, classes=1000)
    saved = []
    held(of, saved=saved)
    assert Play(again).whole(2, "DEPENDENT", count=32).transcript() == saved[-1].to_bytes()
    assert statement("stop", {}, ("key", of.key.key_id))["_type"].startswith("https://in-toto.io")
