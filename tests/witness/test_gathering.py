"""A log and its three witnesses, in processes of their own: gathering, confirming, and what stops a log."""

import shutil
import signal
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing

import pytest
from bad_witness import BadWitness, dripping, faithful, http, silent
from log_samples import OWNER, STRANGER, signed, signer
from running import make_witness, policy_text, start_witness
from witness_samples import Clock, b64

from wmproto.errors import ConfigError, CorruptStoreError, NotFoundError, RegistryError, TrustError
from wmproto.registry.checkpoint import Checkpoint
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.entry import entry_leaf
from wmproto.registry.gather import CosignedLog, confirm_head, gather
from wmproto.registry.heads import Heads
from wmproto.registry.log import Log
from wmproto.registry.note import Note
from wmproto.registry.policy import LogPolicy
from wmproto.registry.receipt import Receipt, verify_receipt
from wmproto.registry.witness import Witness
from wmproto.registry.writing import sign_cosignature, sign_note
from wmproto.wire.profile import WMPROTO_1

NAMES = ("w1", "w2", "w3")


def leaf(envelope, kind="key"):
    return entry_leaf(WMPROTO_1, kind, envelope)


def signer_of(log):
    return signer(f"log {log.key.name.split('/')[1]}")


def opened(log, path=None):
    return Log.open(path or log.where, signer_of(log))


def same_lines(note, other):
    return sorted(note.splitlines()) == sorted(other.splitlines())


def names_in(note, policy):
    parsed = Note.parse(note)
    return [name for name, key in policy.witnesses.items() if parsed.signed_by(key)]


# --- all is well --------------------------------------------------------------------------------------------------


def test_all_three_cosign_and_their_lines_are_kept(three, tmp_path):
    log = three.log(tmp_path, 3)
    policy = three.policy(log, "all")
    found = gather(log, policy)
    assert (found.cosigned, found.missing, found.quorum) == (NAMES, {}, True)
    assert found.checkpoint.size == 3
    assert policy.verify(found.note, strict=True) == found.checkpoint
    assert same_lines(log.checkpoint(), found.note)
    [receipt] = log.receipts([leaf(signed(1))])
    assert policy.verify(verify_receipt(receipt, leaf(signed(1)), log.key).note).size == 3


def test_the_empty_log_is_cosigned(three, tmp_path):
    log = three.log(tmp_path)
    assert gather(log, three.policy(log, "all")).cosigned == NAMES
    log.submit("key", signed(0))
    assert gather(log, three.policy(log, "all")).cosigned == NAMES


def test_many_entries_at_once_are_one_step(three, tmp_path):
    log = three.log(tmp_path, 1)
    policy = three.policy(log, "all")
    gather(log, policy)
    for n in range(1, 30):
        log.submit("key", signed(n))
    assert gather(log, policy).cosigned == NAMES


def test_who_has_cosigned_is_not_asked_to_gather_but_is_to_confirm(three, tmp_path):
    log = three.log(tmp_path, 2)
    policy = three.policy(log, "all")
    first = gather(log, policy)
    with BadWitness(lambda _n, _b: http(500, b"")) as server:
        dead = three.policy(log, "all", dict.fromkeys(NAMES, server.url))
        again = gather(log, dead)
        assert (again.cosigned, server.asked) == (NAMES, [])
        confirmed = confirm_head(log, dead)
        assert (confirmed.cosigned, confirmed.quorum, len(server.asked)) == ((), False, 3)
        assert set(confirmed.missing) == set(NAMES)
        assert same_lines(confirmed.note, first.note)
    assert confirm_head(log, policy).cosigned == NAMES
    assert same_lines(log.checkpoint(), first.note), "the first line of each stays"


def test_a_policy_without_witnesses_asks_nobody(three, tmp_path):
    log = three.log(tmp_path, 2)
    policy = LogPolicy.parse(policy_text([log.key], {}, "none"))
    for found in (gather(log, policy), confirm_head(log, policy)):
        assert (found.cosigned, found.missing, found.quorum) == ((), {}, True)


def test_a_policy_of_another_log_is_refused(three, tmp_path):
    log, other = three.log(tmp_path, 2), three.log(tmp_path)
    for call in (gather, confirm_head):
        with pytest.raises(ConfigError, match=f"does not name the log {log.key.name}"):
            call(log, three.policy(other))


# --- some do not answer -------------------------------------------------------------------------------------------


def test_a_dead_one_is_named_and_two_of_three_are_enough(three, tmp_path):
    log = three.log(tmp_path, 2)
    policy = three.policy(log, "2", {"w2": "http://127.0.0.1:1"})
    found = gather(log, policy)
    assert (found.cosigned, found.quorum) == (("w1", "w3"), True)
    assert list(found.missing) == ["w2"]
    assert "cannot be reached" in found.missing["w2"]
    assert not gather(log, three.policy(log, "all", {"w2": "http://127.0.0.1:1"})).quorum
    assert gather(log, three.policy(log, "all")).cosigned == NAMES, "it can be asked later"


@pytest.mark.parametrize("says", [silent, dripping], ids=["silent", "dripping"])
def test_a_slow_one_costs_the_deadline_and_the_others_count(three, tmp_path, says):
    log = three.log(tmp_path, 2)
    with BadWitness(lambda _n, _b: says()) as slow:
        start = time.monotonic()
        found = gather(log, three.policy(log, "all", {"w1": slow.url}), deadline=2.0)
        assert 1.9 < time.monotonic() - start < 3.5
    assert (found.cosigned, found.quorum) == (("w2", "w3"), False)
    assert list(found.missing) == ["w1"]
    assert "in time" in found.missing["w1"] or "does not answer within 2 seconds" in found.missing["w1"]


def test_once_there_is_a_quorum_the_slow_are_not_waited_for(three, tmp_path):
    log = three.log(tmp_path, 2)
    with BadWitness(lambda _n, _b: silent()) as slow:
        policy = three.policy(log, "2", {"w1": slow.url})
        for size in (2, 3):
            start = time.monotonic()
            found = gather(log, policy, deadline=30.0)
            assert time.monotonic() - start < 8.0
            assert (found.cosigned, found.quorum, found.missing) == (
                ("w2", "w3"),
                True,
                {"w1": "it has not answered in time"},
            )
            log.submit("key", signed(size))
        start = time.monotonic()
        assert confirm_head(log, policy, deadline=2.0).quorum
        assert time.monotonic() - start > 1.9, "before anything is appended all are waited for"


def test_a_witness_without_a_url_is_missing(three, tmp_path):
    log = three.log(tmp_path, 2)
    found = gather(log, three.policy(log, "all", {"w3": ""}))
    assert (found.cosigned, found.missing) == (("w1", "w2"), {"w3": "the policy gives no URL for it"})


def test_an_address_that_is_none_is_a_reason_and_no_error(three, tmp_path):
    log = three.log(tmp_path, 2)
    assert "no http or https address" in gather(log, three.policy(log, "2", {"w1": "gopher://x"})).missing["w1"]


def test_what_a_byzantine_witness_answers_is_not_kept(three, tmp_path):
    """Its line of another checkpoint, another's line, another time, junk: named, and the others count."""
    log = three.log(tmp_path, 3)
    seed = signer("liar")
    liar, text = WitnessKey("liar.test", seed.public), Note.parse(log.checkpoint()).text
    lines = [
        sign_cosignature(text.replace("\n3\n", "\n4\n"), liar, seed, 7),
        log.checkpoint().decode().rpartition("\n\n")[2],
        sign_cosignature(text, WitnessKey("liar.test", STRANGER.public), STRANGER, 7),
        sign_cosignature(text, liar, seed, 7)[:-30] + sign_cosignature(text, liar, seed, 8)[-30:],
    ]
    for line in lines:
        with BadWitness(lambda _n, _b, line=line: http(200, line.encode())) as server:
            listed = {"liar": (liar, server.url), "w2": (three.witnesses["w2"].key, three.witnesses["w2"].url)}
            found = gather(log, LogPolicy.parse(policy_text([log.key], listed, "any")))
            assert found.cosigned == ("w2",)
            assert found.missing["liar"].startswith("it answers ")
    assert b"liar.test" not in log.checkpoint()


def test_no_line_of_whom_the_policy_does_not_know_goes_out(three, tmp_path):
    log = three.log(tmp_path, 3)
    gather(log, three.policy(log, "all"))
    two = {name: (three.witnesses[name].key, three.witnesses[name].url) for name in ("w1", "w3")}
    policy = LogPolicy.parse(policy_text([log.key], two, "all"))
    cosigned = CosignedLog(log, policy)
    for note in (
        gather(log, policy).note,
        cosigned.checkpoint(),
        Receipt.parse(cosigned.receipts([leaf(signed(0))])[0]).note,
    ):
        assert policy.verify(note, strict=True).size == 3
        assert three.witnesses["w2"].key.name.encode() not in note


# --- what stops a log ---------------------------------------------------------------------------------------------


def rolled_back(log, policy, tmp_path):
    """A log whose file is older than what the witnesses have seen."""
    old = tmp_path / "old.db"
    log.close()
    shutil.copy(log.where, old)
    for n in (7, 8):
        log.submit("key", signed(n))
    assert gather(log, policy).quorum
    log.close()
    return opened(log, old)


def test_a_store_that_was_rolled_back_signs_nothing(three, tmp_path):
    log = three.log(tmp_path, 5)
    policy = three.policy(log)
    gather(log, policy)
    with closing(rolled_back(log, policy, tmp_path)) as old:
        before = old.checkpoint()
        for call in (confirm_head, CosignedLog):
            with pytest.raises(
                CorruptStoreError, match=r"behind.*cosigned 7 entries of the log, and was shown 5"
            ) as err:
                confirm_head(old, policy) if call is confirm_head else CosignedLog(old, policy).submit("key", signed(9))
            assert err.value.hint
        assert old.checkpoint() == before
        assert len(old.entries()) == 5


@pytest.mark.parametrize("answer", [http(409, b"99\n", "text/x.tlog.size"), http(422, b"bad\n")], ids=["409", "422"])
def test_the_bare_word_of_one_witness_convicts_nobody(three, tmp_path, answer):
    """It claims a later or another past. Before an append nothing is signed in doubt; after it, it is just missing."""
    log = three.log(tmp_path, 3)
    theirs = three.log(tmp_path, 5).checkpoint()  # another log's head, the log's own without the witness, junk
    for shows in (b"", theirs, log.checkpoint(()), b"junk"):
        with BadWitness(lambda _n, _b: answer, shows=shows) as server:
            policy = three.policy(log, "2", {"w1": server.url})
            found = gather(log, policy)
            assert (found.cosigned, found.quorum) == (("w2", "w3"), True)
            assert found.missing["w1"].endswith("and does not show it")
            before = log.checkpoint()
            with pytest.raises(RegistryError, match=r"the witness w1 says that it has .*, and does not show it") as err:
                confirm_head(log, policy)
            assert type(err.value) is RegistryError
            assert "take it out of the policy" in err.value.hint
            assert log.checkpoint() == before


def test_a_witness_that_contradicts_the_head_that_it_shows_itself_is_just_missing(three, tmp_path):
    log = three.log(tmp_path, 3)
    gather(log, three.policy(log))
    head = log.checkpoint([three.witnesses["w1"].key])
    log.submit("key", signed(3))
    with BadWitness(lambda _n, _b: http(409, b"99\n"), shows=head) as server:
        found = confirm_head(log, three.policy(log, "2", {"w1": server.url}))
    assert (found.cosigned, found.quorum) == (("w2", "w3"), True)
    assert found.missing["w1"].endswith("the head that it shows is the log's own")


def test_one_witness_that_remembers_is_enough_to_stop_it(three, tmp_path):
    log = three.log(tmp_path, 5)
    only = three.policy(log, "2", {"w1": "http://127.0.0.1:1", "w3": "http://127.0.0.1:1"})
    gather(log, three.policy(log))
    log.close()
    shutil.copy(log.where, tmp_path / "old.db")
    log.submit("key", signed(7))
    gather(log, only)
    with closing(opened(log, tmp_path / "old.db")) as old, pytest.raises(CorruptStoreError, match="the witness w2"):
        confirm_head(old, three.policy(log))


def test_a_log_that_went_on_after_a_rollback_is_found_by_its_witnesses(three, tmp_path):
    """It appended without asking: same size or larger, its witnesses have another past."""
    log = three.log(tmp_path, 5)
    policy = three.policy(log)
    gather(log, policy)
    with closing(rolled_back(log, policy, tmp_path)) as old:
        for n in (20, 21, 22):  # 6, 7, 8 entries
            old.submit("key", signed(n))
            with pytest.raises(CorruptStoreError, match="was shown 6" if n == 20 else "another past"):
                confirm_head(old, policy)
            with pytest.raises(CorruptStoreError):
                gather(old, policy)
        assert names_in(old.checkpoint(), policy) == []


def test_another_process_that_appends_meanwhile_is_no_rollback(three, tmp_path):
    """The witness answers with a larger size, because the same store has grown: the new head is asked for."""
    log = three.log(tmp_path, 3)
    policy = three.policy(log, "all")
    gather(log, policy)
    other = opened(log)

    def says(n, _body):
        if n == 1:
            other.submit("key", signed(3))
            assert gather(other, policy).quorum
        return http(409, b"4\n")

    with BadWitness(says) as late:
        found = gather(log, three.policy(log, "2", {"w1": late.url}))
        assert found.checkpoint.size == 3, "everybody's line is kept: nobody is asked"
        confirmed = confirm_head(log, three.policy(log, "2", {"w1": late.url}))
    assert confirmed.checkpoint.size == 4
    assert confirmed.cosigned == ("w2", "w3")
    assert "does not stand by" in confirmed.missing["w1"]
    other.close()


def test_many_append_and_gather_at_once(three, tmp_path):
    log = three.log(tmp_path, 1)
    policy, failed = three.policy(log, "all"), []

    def work(who):
        try:
            mine = CosignedLog(opened(log), policy, deadline=30.0)
            for n in range(4):
                envelope = signed(100 * who + n)
                mine.submit("key", envelope)
                [receipt] = mine.receipts([leaf(envelope)])
                policy.verify(Receipt.parse(receipt).note, strict=True)
        except Exception as err:
            failed.append(err)

    threads = [threading.Thread(target=work, args=(who,)) for who in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert gather(log, policy).checkpoint.size == 13


# --- the log of a dispute -----------------------------------------------------------------------------------------


def test_a_dispute_gets_only_what_has_the_quorum(three, tmp_path):
    log = three.log(tmp_path, 2)
    policy = three.policy(log)
    cosigned = CosignedLog(log, policy)
    assert cosigned.vkey == log.vkey
    assert policy.verify(cosigned.checkpoint(), strict=True).size == 2
    admit = signed(5, "admit", by=OWNER)
    assert verify_receipt(cosigned.submit("admit", admit), leaf(admit, "admit"), log.key).index == 2
    receipts = cosigned.receipts([leaf(admit, "admit"), leaf(signed(0))])
    for receipt, of in zip(receipts, (leaf(admit, "admit"), leaf(signed(0))), strict=True):
        assert policy.verify(verify_receipt(receipt, of, log.key).note, strict=True).size == 3
    older = cosigned.receipts([leaf(signed(0))], size=2)
    assert policy.verify(Receipt.parse(older[0]).note, strict=True).size == 2
    assert [kind for _, kind, _ in cosigned.entries()] == ["key", "key", "admit"]
    assert cosigned.entries("admit") == [(2, "admit", admit)]
    with pytest.raises(NotFoundError):
        cosigned.receipts([leaf(signed(77))])


def test_without_the_quorum_a_dispute_appends_nothing_and_is_told_who_is_missing(three, tmp_path):
    log = three.log(tmp_path, 2)
    policy = three.policy(log, "2", {"w1": "http://127.0.0.1:1", "w3": ""})
    cosigned = CosignedLog(log, policy)
    for call in (cosigned.checkpoint, lambda: cosigned.submit("key", signed(5)), lambda: cosigned.receipts([])):
        with pytest.raises(RegistryError, match=r"lacks the quorum enough; .*w1: it cannot.*; w3: the policy") as err:
            call()
        assert type(err.value) is RegistryError
        assert err.value.hint
    assert len(log.entries()) == 2
    with pytest.raises(TrustError):
        cosigned.receipts([leaf(signed(0))], size=1)


def test_kept_lines_do_not_confirm_a_head(three, tmp_path):
    log = three.log(tmp_path, 2)
    gather(log, three.policy(log))
    dead = CosignedLog(log, three.policy(log, "2", dict.fromkeys(NAMES, "http://127.0.0.1:1")))
    dead.checkpoint()
    dead.receipts([leaf(signed(0))])
    with pytest.raises(RegistryError, match="lacks the quorum"):
        dead.submit("key", signed(5))
    assert len(log.entries()) == 2


# --- a witness that comes back, and one that forgets --------------------------------------------------------------


def test_a_witness_that_was_killed_goes_on(tmp_path):
    by = signer("log of the killed")
    log = Log.create(tmp_path / "log.db", "log.killed/1", by)
    (tmp_path / "policy").write_bytes(policy_text([log.key], {}, "none"))
    witness = start_witness(tmp_path, "w", make_witness(tmp_path, "w"), tmp_path / "policy")
    address = witness.url.removeprefix("http://")
    policy = LogPolicy.parse(policy_text([log.key], {"w": (witness.key, witness.url)}, "any"))
    for n in range(3):
        log.submit("key", signed(n))
        assert gather(log, policy).quorum
    assert witness.stop(signal.SIGKILL) == -signal.SIGKILL
    log.submit("key", signed(3))
    assert not gather(log, policy, deadline=2.0).quorum
    again = start_witness(tmp_path, "w", witness.key, tmp_path / "policy", address)
    assert gather(log, policy).cosigned == ("w",)
    assert again.stop() == 0
    log.close()


def test_a_witness_that_has_forgotten_is_led_up_again(tmp_path):
    """A log cannot tell a new witness from one that lost its state; a policy with several is the answer to that."""
    key = WitnessKey("w.test", signer("w").public)
    log = Log.create(tmp_path / "log.db", "log.forgotten/1", signer("log f"))
    for n in range(5):
        log.submit("key", signed(n))
    for name in ("state", "state of another machine"):
        witness = Witness(Heads.create(tmp_path / name, key), signer("w"), [log.key], Clock())
        with BadWitness(faithful(witness)) as server:
            policy = LogPolicy.parse(policy_text([log.key], {"w": (key, server.url)}, "any"))
            assert confirm_head(log, policy).cosigned == ("w",)
    log.close()


def test_a_fork_that_is_signed_elsewhere_is_not_cosigned(three, tmp_path):
    """Whoever has the log's key and shows its witnesses another past, stops the log: that is the alarm."""
    log = three.log(tmp_path, 4)
    policy = three.policy(log)
    gather(log, policy)
    thief = signer_of(log)
    fork = sign_note(Checkpoint(log.key.name, 4, bytes(32)).text, log.key.name, thief)
    for witness in three.witnesses.values():
        with pytest.raises(urllib.error.HTTPError, match="422"):
            urllib.request.urlopen(witness.url + "/add-checkpoint", b"old 4\n\n" + fork, timeout=20)
    assert confirm_head(log, policy).cosigned == NAMES
    assert b64(bytes(32)).encode() not in log.checkpoint()
