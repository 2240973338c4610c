"""Hole R18: a dispute staged among friends is consistent to the last byte, and comes to nothing before an honest reader."""

import pytest
from world import World, seed

from wmproto.crypto.signer import Signer
from wmproto.dispute.audit import audit
from wmproto.dispute.replay import replay
from wmproto.errors import TrustError, VerificationError
from wmproto.registry.log import Log


@pytest.fixture
def honest(tmp_path):
    (tmp_path / "honest").mkdir()
    return World(tmp_path / "honest")


def staged(tmp_path, *, log=False, arbitrator=False, respondent=False, owner=False):
    """A transcript in which the liar plays some of the parties herself, over an innocent model that a puppet deposits."""
    folder = tmp_path / "staged"
    folder.mkdir()

    class Liar(World):
        def __post_init__(self):
            super().__post_init__()
            if log:
                self.log = Log.create(folder / "own.db", "log.test/1", Signer(seed("the liar's log")))
                self.log.submit("key", self.key.envelope)
            if arbitrator:
                self.arbitrator = Signer(seed("the liar's arbitrator"))
            if respondent:
                self.respondent = Signer(seed("the liar's puppet"))

    world = Liar(folder)
    # The puppet deposits innocent weights and answers with the labels that the liar tells him.
    outcome, transcript = world.hold(world.thief(), model=seed("an innocent model"))
    assert outcome.verdict == "DEPENDENT"
    assert not outcome.problems
    assert not outcome.findings
    return world, transcript


@pytest.mark.parametrize(
    "cast",
    [{"log": True}, {"arbitrator": True}, {"respondent": True}, {"log": True, "arbitrator": True, "respondent": True}],
    ids=lambda cast: "+".join(cast),
)
def test_a_staged_dispute_is_consistent_and_refused(tmp_path, honest, cast):
    _, transcript = staged(tmp_path, **cast)
    alone = audit(transcript.to_bytes())
    assert alone.outcome.verdict == "DEPENDENT"
    assert len(alone.assumed) == 4  # never reported as success: exit code 15
    with pytest.raises(TrustError):
        audit(transcript.to_bytes(), trust=honest.trust)


def test_a_log_under_the_same_name_is_another_log(tmp_path, honest):
    world, transcript = staged(tmp_path, log=True)
    assert world.log.key.name == honest.log.key.name
    with pytest.raises(TrustError, match="does not name the log"):
        audit(transcript.to_bytes(), trust=honest.trust)


def test_a_puppets_answers_are_exposed_by_the_weights(tmp_path, honest):
    """Even where every party is trusted by mistake: a replay of the deposited weights shows that they never said so."""
    world, transcript = staged(tmp_path, respondent=True, arbitrator=True)
    found = audit(transcript.to_bytes(), trust=world.trust)
    assert found.outcome.verdict == "DEPENDENT"
    with pytest.raises(VerificationError, match="the weights answer") as err:
        replay(transcript, found.dispute, world.stranger_model(), model=seed("an innocent model"))
    assert (err.value.rule, err.value.fault) == ("dis-replay-2", "arbitrator")
    with pytest.raises(VerificationError, match="these weights are"):
        replay(transcript, found.dispute, world.stranger_model(), model=seed("other weights"))


def test_a_key_of_somebody_else_is_not_the_owners(tmp_path, honest):
    """The liar registers a key of her own and claims under the owner's name."""
    folder = tmp_path / "other"
    folder.mkdir()

    class Other(World):
        def __post_init__(self):
            super().__post_init__()

    world = Other(folder)
    _, transcript = world.hold(world.thief())
    trust = honest.trust.model_copy(update={"owners": (Signer(seed("the real owner")).public,)})
    with pytest.raises(TrustError, match="does not name the owner"):
        audit(transcript.to_bytes(), trust=trust)
