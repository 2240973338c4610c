"""Hole R17: nobody but the owner, and the arbitrator and log that she names, can burn or free a leaf of her key.

Each attack is logged for real; then the honest dispute goes through as if nothing had been.
"""

import pytest
from world import POLICY, World, make_key, make_release, seed

from wmproto.crypto.signer import Signer
from wmproto.dispute.admission import counted, first_free
from wmproto.dispute.audit import audit
from wmproto.dispute.hold import hold
from wmproto.dispute.messages import Admit, Decide, Policy, Settings
from wmproto.dispute.roles import Arbitrator, Claimant, Respondent
from wmproto.dispute.sign import sign_message
from wmproto.errors import FormatError, SignatureError
from wmproto.registry.log import Log


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def free(world):
    """First leaf that is free, by the log."""
    entries = [(kind, e) for _, kind, e in world.log.entries()]
    return first_free(counted(entries, key=world.key, log=world.log.vkey), world.key.profile)


def honest_dispute_goes_through(world, start=0):
    outcome, transcript = world.hold(world.thief(), start=start)
    world.log.export(world.path / "copy")
    found = audit(transcript.to_bytes(), trust=world.trust, log_copy=(world.path / "copy").read_bytes())
    assert found.outcome == outcome
    assert outcome.verdict == "DEPENDENT"
    assert not outcome.problems
    assert not outcome.findings
    return transcript


def elsewhere(tmp_path, owner="owner", log="log.other/1"):
    """A dispute over the same key that was held with another log; returns its transcript."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    other = World(folder)
    other.log = Log.create(folder / "other.db", log, Signer(seed("other log")))
    other.log.submit("key", other.key.envelope)
    return other.hold(other.thief())[1]


def filed(world, claimant=None, arbitrator=None, count=64):
    """A signed file of the owner's (or of whoever plays her) that nobody has admitted yet."""
    return (claimant or world.claimant).file(
        suspect="a suspect",
        arbitrator=(arbitrator or world.arbitrator).public,
        log=world.log.vkey,
        policy=POLICY,
        start=0,
        count=count,
        key_receipt=world.active.receipt_bytes,
        release=None,
    )[0]


def admitted(world, file, by):
    """Log an admit of that file, signed by ``by``; returns its leaf."""
    settings = Settings(batch=1, dtype="float32", libraries=(), threads=1)
    admit = Admit(
        earlier=(),
        file=file,
        head=world.log.checkpoint().decode(),
        known_answers=(),
        policy=POLICY,
        previous=seed("x"),
        seq=2,
        settings=settings,
    )
    envelope = sign_message(admit, key_id=world.key.key_id, signer=by)
    world.log.submit("admit", envelope)
    return world.leaf("admit", envelope)


class Forger(Claimant):
    """A stranger who plays the owner."""

    def __init__(self, world):
        self.key, self._commitment, self._signer = world.key, world.active.commitment, world.stranger


def test_a_self_appointed_arbitrator_burns_nothing(world):
    """A stranger gets hold of a file that names another arbitrator, and admits it himself."""
    file = filed(world)
    admitted(world, file, world.stranger)
    assert free(world) == 0
    honest_dispute_goes_through(world)


def test_the_named_arbitrator_does_burn_what_was_filed_before_her(world):
    """The control of the test above: the same file, admitted by the arbitrator whom it names."""
    admitted(world, filed(world), world.arbitrator)
    assert free(world) == 64


def test_a_strangers_file_for_somebodys_key_burns_nothing(world):
    """The stranger files over the owner's key and names himself arbitrator."""
    admitted(world, filed(world, Forger(world), world.stranger), world.stranger)
    admitted(world, filed(world, Forger(world)), world.arbitrator)
    assert free(world) == 0
    with pytest.raises(SignatureError, match="key's owner"):
        hold(
            claimant=Forger(world),
            release=None,
            respondent=Respondent(world.stranger, "respondent"),
            arbitrator=Arbitrator(world.stranger, POLICY),
            log=world.log,
            model=seed("m"),
            suspect=world.thief(),
            words="forged",
            start=0,
            count=64,
            save=[].append,
        )
    honest_dispute_goes_through(world)


def test_a_strangers_decide_frees_nothing_and_a_second_one_neither(world):
    def decides(admit, rounds, by):
        lie = Decide(admit=admit, previous=seed("x"), rounds=rounds, seq=9, verdict="NOT SHOWN")
        world.log.submit("decide", sign_message(lie, key_id=world.key.key_id, signer=by))

    admit = admitted(world, filed(world), world.arbitrator)
    for signer in (world.stranger, world.owner, world.respondent):
        decides(admit, 0, signer)
        assert free(world) == 64
    decides(admit, 3, world.arbitrator)
    assert free(world) == 48
    for rounds in (0, 4):
        decides(admit, rounds, world.arbitrator)
        assert free(world) == 48
    honest_dispute_goes_through_with_16(world)


def honest_dispute_goes_through_with_16(world):
    outcome, transcript = world.hold(world.thief(), start=48, count=16)
    assert audit(transcript.to_bytes(), trust=world.trust).outcome == outcome
    assert not outcome.problems


def test_anothers_payload_logged_first_blocks_nobody(tmp_path):
    """A stranger sees the owner's statement and logs it under his own signature before her."""

    class Raced(World):
        def before_key(self):
            key, _ = make_key(self.owner, n=self.n, classes=self.classes)
            self.log.submit("key", self.stranger.envelope(key.envelope.payload))

    world = Raced(tmp_path)
    assert world.active.receipt.index == 1
    honest_dispute_goes_through(world)


@pytest.mark.parametrize("kind", ["key", "release", "admit", "decide"])
def test_entries_of_strangers_count_for_nothing(world, tmp_path, kind):
    """A thief logs an entry of any type about the owner's key, signed by himself."""
    transcript = elsewhere(tmp_path)
    payloads = {
        "key": world.key.envelope.payload,
        "release": make_release(
            world.stranger,
            key_id=world.key.key_id,
            beta=world.key.beta,
            receipt=world.active.receipt_bytes,
            name="the thief's",
        ).payload,
        "admit": next(s.message.payload for s in transcript.steps if b"admit/1" in s.message.payload),
        "decide": transcript.steps[-1].message.payload,
    }
    for signer in (world.stranger, world.respondent):
        world.log.submit(kind, signer.envelope(payloads[kind]))
    assert free(world) == 0
    honest_dispute_goes_through(world)


def test_an_entry_of_another_type_than_its_payload_is_refused(world):
    with pytest.raises(FormatError):
        world.log.submit("admit", world.stranger.envelope(world.key.envelope.payload))


def test_an_admit_for_another_log_burns_nothing_here(world, tmp_path):
    """The very admit that the named arbitrator signed, for a file that names another log, is logged here."""
    transcript = elsewhere(tmp_path)
    admit = next(s.message for s in transcript.steps if b"admit/1" in s.message.payload)
    assert admit.signer == world.arbitrator.public
    world.log.submit("admit", admit)
    assert free(world) == 0
    honest_dispute_goes_through(world)


def test_a_huge_count_left_open_costs_what_the_owner_filed_and_no_more(tmp_path):
    """The arbitrator whom she named admits and falls silent: the range that she filed is gone, the rest is hers."""
    world = World(tmp_path, n=128)
    silent = Signer(seed("silent arbitrator"))

    class Silent(Exception):  # noqa: N818
        pass

    def save(transcript):
        if len(transcript.steps) == 4:
            raise Silent

    with pytest.raises(Silent):
        world.hold(world.thief(), count=64, arbitrator=silent, save=save)
    assert free(world) == 64
    honest_dispute_goes_through(world, start=64)


def test_two_policies_are_two_addresses(world):
    """A file names the policy's digest: an arbitrator cannot admit it under a laxer or stricter one."""
    outcome, _ = world.hold(world.thief(), policy=Policy(bits=0, suspects_log2=30))
    assert outcome.assumptions.S == 1 << 30
