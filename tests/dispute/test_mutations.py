"""Every byte and every field of a transcript, a key statement and a release, changed: refused, or of no account.

Bytes: whoever holds the file changes them. Fields: a party signs something else, with the right key; either nothing
after it follows suit (refused), or all real parties collude and sign everything after it anew. Then the result is
refused, or it is a consistent transcript of another dispute, whose verdict must be what its own messages are worth.
"""

import json
import random
from copy import copy
from functools import cache

import pytest
from forge import REFUSED, PaperLog, Play, cast, counted, mutations, raw, resigned, truth
from world import seed

from wmproto.commitment.statement import verify_key
from wmproto.dispute.audit import audit, replay_steps
from wmproto.dispute.outcome import decide
from wmproto.dispute.session import TRANSCRIPT
from wmproto.dispute.transcript import Transcript
from wmproto.errors import FormatError
from wmproto.release.record import verify_release
from wmproto.verdict.closed_form import least_hits
from wmproto.wire.compose import compose_envelope
from wmproto.wire.dsse import Envelope
from wmproto.wire.profile import WMPROTO_1

STRUCTURE = frozenset(b'{}[]:,"=')
B64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
HEX = b"0123456789abcdef"


def alike(byte):
    """Another byte that a decoder would take in the place of this one; of a structural byte, another structural one."""
    for alphabet in (HEX, B64, b'{}[]:,"='):
        if byte in alphabet:
            return alphabet[(alphabet.index(byte) + 1) % len(alphabet)]
    return byte ^ 1


def short():
    """file, bind, admit, logged, ask, answer, open (one leaf), decide, logged: 32 leaves, two classes."""
    of = cast(n=32)
    return Play(of).begin(count=16).ask().answer().open([0]).stop().decide()


def two_rounds(of=None):
    """A DEPENDENT in which each hit is needed: 24 marked leaves of 32, no more hits than it takes."""
    of = of or cast(n=32, classes=1000)
    marked = [i for i in range(32) if not of.ghost(i)]
    needed = least_hits(1000, len(marked), 160)
    return Play(of, of.thief(marked[: len(marked) - needed])).begin().round().round().decide("DEPENDENT")


# --- bytes -----------------------------------------------------------------------------------------------------------


class Refuser:
    """Audits mutants of one transcript fast: what stands before the first step that differs was heard before.

    ``same_as_audit`` shows that this is what ``audit`` says.
    """

    def __init__(self, play):
        self.steps = play.parsed().steps
        self.heard = [play.live(n) for n in range(len(self.steps) + 1)]
        self.whole = play.audit().outcome

    def dispute(self, data):
        """What ``audit`` would hear; raises what it would raise."""
        steps = Transcript.parse(data).steps
        first = next((n for n, (a, b) in enumerate(zip(steps, self.steps, strict=False)) if a != b), len(self.steps))
        dispute = copy(self.heard[min(first, len(steps))])
        dispute.problems, dispute.findings = list(dispute.problems), list(dispute.findings)
        dispute.checkpoints, dispute.early = list(dispute.checkpoints), set(dispute.early)
        if hasattr(dispute, "tally"):
            dispute.tally = dispute.tally.fork()
        replay_steps(Transcript(format=TRANSCRIPT, steps=steps[first:]), dispute)
        if not dispute.seq:
            raise FormatError("nothing was said")
        return dispute

    def says(self, data):
        """The name of the error, None if the mutant is accepted with the same outcome; other errors pass through."""
        try:
            outcome = decide(self.dispute(data))
        except REFUSED as err:
            return type(err).__name__
        return None if outcome == self.whole else "another outcome"

    def same_as_audit(self, data):
        try:
            outcome = audit(data).outcome
        except REFUSED as err:
            return type(err).__name__ == self.says(data)
        return self.says(data) == (None if outcome == self.whole else "another outcome")


def changed(data, at, byte):
    return data[:at] + bytes([byte]) + data[at + 1 :]


def test_no_byte_of_a_short_transcript_can_be_changed():
    """Each byte by another that decoders take as well; each structural byte and every eleventh other in two more ways."""
    play = short()
    data, refuser = play.transcript(), Refuser(play)
    for at, byte in enumerate(data):
        mutants = {alike(byte)}
        if byte in STRUCTURE or at % 11 == 0:
            mutants |= {byte ^ 1, byte ^ 0x20}
        for new in mutants:
            assert refuser.says(changed(data, at, new)) not in (None, "another outcome"), (at, data[at - 20 : at])


def test_no_structural_byte_of_two_rounds_can_be_changed_and_no_sampled_other():
    play = two_rounds()
    data, refuser = play.transcript(), Refuser(play)
    for at, byte in enumerate(data):
        if byte in STRUCTURE or at % 61 == 0:
            for new in (alike(byte), byte ^ 1):
                assert refuser.says(changed(data, at, new)) not in (None, "another outcome"), (at, data[at - 20 : at])


def test_the_fast_refuser_says_what_audit_says():
    play = short()
    data, refuser = play.transcript(), Refuser(play)
    assert refuser.same_as_audit(data)
    assert refuser.says(data) is None
    for at in random.Random(1).sample(range(len(data)), 150):
        assert refuser.same_as_audit(changed(data, at, alike(data[at])))
        assert refuser.same_as_audit(data[:at] + data[at + 1 :])


def test_no_byte_can_be_left_out_put_in_or_cut_off():
    play = short()
    data, refuser = play.transcript(), Refuser(play)
    for at in range(0, len(data), 11):
        byte = data[at]
        for mutant in (data[:at] + data[at + 1 :], data[:at] + bytes([byte]) + data[at:], data[:at]):
            if mutant != data:
                assert refuser.says(mutant) not in (None, "another outcome"), (at, data[at - 20 : at])
    for mutant in (b"", b" " + data, data + b" ", data + b"\n", b"\xef\xbb\xbf" + data, data + data, data[:-1] + b",}"):
        assert refuser.says(mutant) == "FormatError"


def test_two_swapped_blocks_are_refused():
    """Any two blocks of 16 bytes, swapped."""
    play = short()
    data, refuser = play.transcript(), Refuser(play)
    rng = random.Random(2)
    for _ in range(300):
        a, b = sorted(rng.sample(range(0, len(data) - 16, 16), 2))
        mutant = data[:a] + data[b : b + 16] + data[a + 16 : b] + data[a : a + 16] + data[b + 16 :]
        if mutant != data:
            assert refuser.says(mutant) not in (None, "another outcome")


def test_the_same_transcript_in_another_form_is_malformed():
    """White space, order of fields, escapes, ways to write a number: one transcript has one form."""
    data = short().transcript()
    for old, new in (
        (b'{"format"', b'{ "format"'),
        (b'"format"', b'"\\u0066ormat"'),
        (b'"receipts":[]', b'"receipts":[ ]'),
        (b'"wmproto/transcript@v1"', b'"wmproto\\/transcript@v1"'),
    ):
        assert old in data
        with pytest.raises(REFUSED) as err:
            audit(data.replace(old, new, 1))
        assert err.value.exit_code == 3


def every_byte_refused(data, verify):
    """No byte of a signed object can be changed."""
    verify(Envelope.parse(data))
    for at, byte in enumerate(data):
        for new in {alike(byte), byte ^ 1, byte ^ 0x80}:
            with pytest.raises(REFUSED):
                verify(Envelope.parse(changed(data, at, new)))


def test_no_byte_of_a_key_statement_can_be_changed():
    every_byte_refused(cast().key.envelope.to_bytes(), lambda e: verify_key(e, profile=WMPROTO_1))


def test_no_byte_of_a_release_can_be_changed():
    every_byte_refused(cast().unlogged_release().to_bytes(), lambda e: verify_release(e, profile=WMPROTO_1))


def test_no_byte_of_a_receipt_of_decide_can_be_changed():
    """The one thing outside the chain: refused, or what it proves is what it proved."""
    play = short()
    true = play.audit()
    for which in (0, 1):
        receipt = play.lines[-1].receipts[which]
        for at, byte in enumerate(receipt):
            for new in {alike(byte), byte ^ 1, byte ^ 0x80, 0x0A, 0x20}:
                if new == byte:
                    continue
                mutant = play.fork()
                mutant.lines[-1].receipts[which] = changed(receipt, at, new)
                dispute = copy(true.dispute)
                dispute.phase = "decided"
                try:
                    dispute.logged(mutant.lines[-1].receipts)
                except REFUSED:
                    continue
                assert mutant.audit().outcome == true.outcome


def test_a_receipt_that_ends_a_cut_transcript_is_the_one_that_is_not_signed_over():
    """Documented: until a message is chained to admit's receipt, whoever holds the file can spoil it, not improve it."""
    play = Play(cast()).begin()
    receipt = play.lines[-1].receipts[0]
    for at in range(0, len(receipt), 7):
        mutant = play.fork()
        mutant.lines[-1].receipts[0] = changed(receipt, at, alike(receipt[at]))
        assert mutant.audit().outcome.verdict == "INADMISSIBLE"
    mutant.ask()
    mutant.lines[-1] = play.fork().ask().lines[-1]  # what the claimant really said over the true receipt
    with pytest.raises(REFUSED):
        mutant.audit()


# --- fields ----------------------------------------------------------------------------------------------------------


@cache
def rich():
    """(how it is played, cast) of a dispute with every optional field: two rounds, release, prior, earlier."""

    def play(edits=None):
        of = cast(n=48, classes=1000)
        old = of.unlogged_release("old")
        release = of.release()
        of.log.add("release", old)
        first = Play(of).begin(count=16).stop().decide()
        both = [first.logged_entry("admit"), first.logged_entry("decide")]
        marked = [i for i in range(16, 48) if not of.ghost(i)]
        spare = len(marked) - least_hits(1000, len(marked), 160)
        made = Play(of, of.thief(marked[1 : 1 + spare]), edits)
        made.file(16, 32, release=release).bind(old)
        made.admit(both).round().round().decide("DEPENDENT")
        return made

    return play


def messages():
    return range(len(rich()().lines))


def changes(number):
    return list(mutations(json.loads(rich()().lines[number].message.payload)))


@pytest.mark.parametrize("number", messages())
def test_a_field_that_its_signer_changed_alone_is_refused(number):
    play = rich()()
    assert play.audit().outcome.verdict == "DEPENDENT"
    refuser = Refuser(play)
    true = play.lines[number].message
    tried = 0
    for name, change in changes(number):
        mutant = play.fork()
        mutant.lines[number].message = resigned(true, change)
        assert mutant.lines[number].message.payload != true.payload
        assert refuser.says(mutant.transcript()) not in (None, "another outcome"), name
        tried += 1
    assert tried > 40


ACCEPTED = {
    # what all parties together can say otherwise, and remain consistent; seq -> top fields of the predicate
    0: {"suspect", "count", "key_receipt", "start", "release_receipt", "release_entry"},
    1: {"holder", "model"},
    2: {"head", "settings", "earlier"},
    3: {"leaves"},
    4: {"answers"},
    5: {"openings"},
    6: {"leaves"},
    7: {"answers"},
    8: {"openings"},
    9: {"verdict"},
}


@pytest.mark.parametrize("number", messages())
def test_when_all_collude_the_verdict_is_what_the_messages_are_now_worth(number):
    accepted, refuser = set(), Refuser(rich()())
    for name, change in changes(number):
        try:
            play = rich()({number: change})
            dispute = refuser.dispute(play.transcript())
        except REFUSED:
            continue
        accepted.add(name.split("/")[1].split(":")[0])
        true, outcome = truth(play), decide(dispute)
        assert counted(dispute, outcome) == true, name
        wanted = "INADMISSIBLE" if outcome.problems else "DEPENDENT" if true.dependent else "NOT SHOWN"
        assert outcome.verdict == wanted, name
        if number > 2:
            assert not outcome.problems
        if name.split(":")[0].endswith(("/index", "/k", "/path/0")):
            assert outcome.evidence.unopened == 1, name  # a miss, whatever the leaf was
    assert accepted <= ACCEPTED[number]


def test_each_hit_of_the_rich_dispute_is_needed():
    """So that the tests above would see a miss that is not counted."""
    play = rich()()
    for at in (4, 7):
        for i in range(16):
            leaf = 16 * (2 if at == 7 else 1) + i
            hit = not play.of.ghost(leaf) and play.answers(leaf) == play.of.label(leaf)

            def silent(value, i=i):
                value["predicate"]["answers"][i] = None

            verdict = rich()({at: silent}).audit().outcome.verdict
            assert verdict == ("NOT SHOWN" if hit else "DEPENDENT")


def test_a_changed_statement_draws_all_labels_again():
    """The owner changes a field of Z, and everybody signs the same dispute over it: the answers are luck now."""
    true = cast(n=32, classes=1000)
    accepted = 0
    for name, change in mutations(json.loads(true.key.envelope.payload)):
        of = cast(n=32, classes=1000, log=PaperLog())
        play = Play(of)
        play.key_envelope = resigned(true.key.envelope, change)
        of.log.kept[0] = ("key", play.key_envelope)
        play.key_id = WMPROTO_1.hash("key", play.key_envelope.payload)
        try:
            audited = play.whole(2, "NOT SHOWN").audit()
        except REFUSED:
            continue
        accepted += 1
        assert audited.outcome.verdict != "DEPENDENT", name
        assert audited.outcome.evidence.wealth.hits <= 2, name
    assert accepted >= 5


def test_a_changed_release_is_refused_or_a_problem():
    of = cast(n=32)
    true = of.release()
    for name, change in mutations(json.loads(true.payload)):
        mutant = resigned(true, change)
        of.log.kept[1] = ("release", mutant)
        audited = Play(of).file(release=mutant).audit()
        if not audited.outcome.problems:
            assert name.startswith(("subject", "predicate/recipient", "predicate/key_receipt", "predicate/tensors")), (
                name
            )


def test_a_signer_that_is_named_and_has_not_signed_is_refused():
    """keyid and signature of each message, of each thing attached, exchanged for another's."""
    play = rich()()
    envelopes = [line.message for line in play.lines]
    refuser = Refuser(play)
    for number in range(len(envelopes)):
        for other in envelopes:
            true = envelopes[number]
            for signer, signature in ((other.signer, true.signature), (true.signer, other.signature)):
                if (signer, signature) != (true.signer, true.signature):
                    mutant = play.fork()
                    mutant.lines[number].message = compose_envelope(true.payload, signer, signature)
                    assert refuser.says(mutant.transcript()) == "SignatureError"


def test_attached_and_receipts_of_each_step_are_bound():
    """Drop, double or exchange anything attached or any receipt: refused, but for the receipt that ends the file."""
    play = rich()()
    refuser = Refuser(play)
    spare, junk = play.of.unlogged_release("spare"), b"junk"
    for number in range(len(play.lines)):
        for field, other in (("attached", spare), ("receipts", junk)):
            true = getattr(play.lines[number], field)
            lies = [[*true, other], [other, *true], true[1:], true[:-1], true[::-1], [other] * len(true), true * 2]
            for lie in lies:
                if lie == true:
                    continue
                mutant = play.fork()
                setattr(mutant.lines[number], field, lie)
                says = refuser.says(mutant.transcript())
                if (number, field, lie) == (9, "receipts", []):
                    assert says == "another outcome"  # only the finding that decide has no receipt
                    assert mutant.audit().outcome.verdict == "DEPENDENT"
                else:
                    assert says not in (None, "another outcome"), (number, field, lie)


def test_the_parts_of_a_transcript_have_no_other_fields():
    play = short()
    steps = [x.to_json() for x in play.lines]
    for lie in (
        {"format": "wmproto/transcript@v2", "steps": steps},
        {"format": "wmproto/transcript@v1", "steps": steps, "x": 1},
        {"format": "wmproto/transcript@v1"},
        {"steps": steps},
        {"format": "wmproto/transcript@v1", "steps": [*steps, None]},
        {"format": "wmproto/transcript@v1", "steps": [steps[0] | {"x": 0}, *steps[1:]]},
        {"format": "wmproto/transcript@v1", "steps": {"0": steps[0]}},
        [steps],
        None,
    ):
        with pytest.raises(REFUSED):
            audit(raw(lie))


def test_a_mutant_under_another_dispute_number_is_not_this_dispute():
    """The whole of one dispute's rounds under another's admit: refused at the first link."""
    of = cast(n=32)
    one = Play(of).begin(count=16).round().stop().decide()
    other = Play(of).file(16, 16).bind(model=seed("other")).admit().round().stop().decide()
    mixed = one.fork()
    mixed.lines[3:] = other.lines[3:]
    with pytest.raises(REFUSED) as err:
        mixed.audit()
    assert err.value.rule == "dis-chain-2"
