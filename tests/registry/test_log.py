"""The log in its file: what it takes, the tree against the RFC's own recursion, idempotence, and refusing in doubt."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_samples import LOG, NAME, OWNER, STRANGER, naive_path, naive_root, signed, signed_again, signer

from wmproto.errors import ConfigError, ConflictError, FormatError, InclusionError, NotFoundError, SignatureError
from wmproto.registry.checkpoint import verify_checkpoint
from wmproto.registry.copy import read_log_copy
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.entry import entry_leaf
from wmproto.registry.log import Log
from wmproto.registry.note import LogKey, Note
from wmproto.registry.receipt import Receipt, verify_receipt
from wmproto.registry.submission import ENTRY_TYPES
from wmproto.registry.writing import sign_cosignature
from wmproto.wire.canonical import canonical_json
from wmproto.wire.compose import compose_envelope
from wmproto.wire.dsse import ENVELOPE_LIMIT
from wmproto.wire.labels import predicate_type
from wmproto.wire.profile import WMPROTO_1, Profile


def leaf(envelope, kind="key"):
    return entry_leaf(WMPROTO_1, kind, envelope)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a log?#%20.db"  # a name that a URI would misread


@pytest.fixture
def log(path):
    log = Log.create(path, NAME, LOG)
    yield log
    log.close()


# --- starting and opening ---------------------------------------------------------------------------------------


def test_an_empty_log_has_a_checkpoint_of_size_0(log, path):
    note = log.checkpoint()
    checkpoint = verify_checkpoint(note, LogKey(NAME, LOG.public))
    assert (checkpoint.size, checkpoint.root) == (0, naive_root([]))
    assert note.startswith(b"log.test/1\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n")
    assert log.vkey == str(log.key) == str(LogKey(NAME, LOG.public))
    assert log.entries() == []
    assert log.receipts([]) == []
    again = Log.open(path)
    assert again.checkpoint() == note
    again.close()


def test_a_log_is_never_started_over_a_file(log, path, tmp_path):
    log.submit("key", signed(1))
    with pytest.raises(ConflictError):
        Log.create(path, NAME, LOG)
    assert len(log.entries()) == 1
    other = tmp_path / "other"
    other.write_bytes(b"letters")
    with pytest.raises(ConflictError):
        Log.create(other, NAME, LOG)
    assert other.read_bytes() == b"letters"


@pytest.mark.parametrize("name", ["", "a b", "a+b", "x" * 300])
def test_a_bad_name_leaves_no_file(tmp_path, name):
    with pytest.raises(FormatError):
        Log.create(tmp_path / "log.db", name, LOG)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_needs_no_key_and_cannot_append(log, path):
    receipt = log.submit("key", signed(1))
    reader = Log.open(path)
    assert reader.receipts([leaf(signed(1))]) == [receipt]
    assert reader.find(leaf(signed(1))) == 0
    assert [e for _, _, e in reader.entries()] == [signed(1)]
    for envelope in (signed(1), signed(2)):
        with pytest.raises(ConfigError):
            reader.submit("key", envelope)
    assert reader.checkpoint() == log.checkpoint()
    reader.close()


def test_another_key_or_profile_is_refused(log, path):
    with pytest.raises(ConfigError, match="key"):
        Log.open(path, OWNER)
    with pytest.raises(ConfigError, match="profile"):
        Log.open(path, LOG, profile=Profile("wmproto-test/1"))


# --- appending --------------------------------------------------------------------------------------------------


def test_every_tree_and_every_proof_is_the_rfcs(log):
    leaves = []
    for n in range(71):
        root = verify_checkpoint(log.checkpoint(), log.key).root
        assert root == naive_root(leaves)
        assert verify_checkpoint(log.checkpoint(), log.key).size == n
        for index, receipt in enumerate(log.receipts(leaves)):
            parsed = Receipt.parse(receipt)
            assert (parsed.index, list(parsed.path)) == (index, naive_path(index, leaves))
        if n < 70:
            appended = log.append("key", signed(n))
            leaves.append(leaf(signed(n)))
            found = verify_receipt(appended.receipt, leaves[-1], log.key)
            assert (appended.index, appended.new, found.index, found.checkpoint.size) == (n, True, n, n + 1)
            assert found.checkpoint.root == naive_root(leaves)
    for size in (1, 2, 31, 32, 33, 69, 70):  # and later, under an old checkpoint
        for index, receipt in enumerate(log.receipts(leaves[:size], size)):
            found = verify_receipt(receipt, leaves[index], log.key)
            assert (found.index, found.checkpoint.size, found.checkpoint.root) == (
                index,
                size,
                naive_root(leaves[:size]),
            )


def test_everything_can_be_proved_to_the_checkpoint_of_an_older_receipt(log):
    kinds = {"key": signed(0), "release": signed(1, "release"), "admit": signed(2, "admit")}
    admitted = [log.submit(kind, envelope) for kind, envelope in kinds.items()][-1]
    log.submit("decide", signed(3, "decide"))
    leaves = [leaf(envelope, kind) for kind, envelope in kinds.items()]
    proofs = log.receipts(leaves, verify_receipt(admitted, leaves[2], log.key).checkpoint.size)
    assert proofs[2] == admitted
    found = [verify_receipt(data, of, log.key) for data, of in zip(proofs, leaves, strict=True)]
    assert {f.note for f in found} == {Receipt.parse(admitted).note}
    assert [f.index for f in found] == [0, 1, 2]


def test_an_entry_that_is_not_below_a_checkpoint_has_no_receipt_there(log):
    for n in range(3):
        log.submit("key", signed(n))
    with pytest.raises(NotFoundError, match="entry 2"):
        log.receipts([leaf(signed(2))], 2)
    with pytest.raises(NotFoundError, match="4 entries"):
        log.receipts([leaf(signed(2))], 4)
    for bad in (leaf(signed(3)), leaf(signed(2), "release"), b"", bytes(32)):
        with pytest.raises(NotFoundError):
            log.receipts([leaf(signed(0)), bad])
        with pytest.raises(NotFoundError):
            log.find(bad)


def test_entries_are_found_by_type_and_first_subject(log):
    key_id = b"k" * 32
    log.submit("key", signed(0))
    log.submit("admit", signed(1, "admit", subject=key_id))
    log.submit("release", signed(2, "release"))
    log.submit("decide", signed(3, "decide", subject=key_id))
    log.submit("admit", signed(4, "admit", by=STRANGER, subject=key_id))
    assert [(i, k) for i, k, _ in log.entries(subject=key_id)] == [(1, "admit"), (3, "decide"), (4, "admit")]
    assert [(i, e) for i, _, e in log.entries("admit", key_id)] == [
        (1, signed(1, "admit", subject=key_id)),
        (4, signed(4, "admit", by=STRANGER, subject=key_id)),
    ]
    assert [i for i, _, _ in log.entries("key")] == [0]
    assert log.entries("nothing") == log.entries(subject=bytes(32)) == []
    assert [i for i, _, _ in log.entries()] == [0, 1, 2, 3, 4]


def test_submitting_again_finds_the_first_entry(log, path):
    first = log.append("key", signed(1))
    log.submit("key", signed(2))
    note = log.checkpoint()
    again = log.append("key", signed(1))
    assert (first.index, first.new) == (0, True)
    assert (again.index, again.new, again.envelope) == (0, False, signed(1))
    assert verify_receipt(again.receipt, leaf(signed(1)), log.key).checkpoint.size == 2
    assert log.checkpoint() == note
    reopened = Log.open(path, LOG)
    assert reopened.submit("key", signed(1)) == again.receipt
    reopened.close()


def test_another_valid_signature_is_the_same_entry_and_the_caller_can_tell(log):
    log.submit("key", signed(1))
    other = signed_again(signed(1), OWNER, b"another nonce")
    assert other != signed(1)
    again = log.append("key", other)
    assert (again.index, again.new, again.envelope) == (0, False, signed(1))
    assert verify_receipt(again.receipt, leaf(again.envelope), log.key).index == 0
    with pytest.raises(InclusionError):
        verify_receipt(again.receipt, leaf(other), log.key)
    assert len(log.entries()) == 1


def test_a_stranger_who_logs_a_payload_first_does_not_block_its_owner(log):
    stolen = STRANGER.envelope(signed(1).payload)
    assert log.append("key", stolen).index == 0
    assert log.append("key", signed(1)).index == 1
    assert [e.signer for _, _, e in log.entries()] == [STRANGER.public, OWNER.public]


@pytest.mark.parametrize("kind", ENTRY_TYPES)
def test_a_stranger_appends_under_his_own_key_only(log, kind):
    forged = signed(1, kind)
    forged = compose_envelope(forged.payload, OWNER.public, signed(1, kind, by=STRANGER).signature)
    with pytest.raises(SignatureError):
        log.submit(kind, forged)
    assert log.append(kind, signed(1, kind, by=STRANGER)).new
    assert [e.signer for _, _, e in log.entries()] == [STRANGER.public]


def test_one_payload_is_one_type(log):
    for kind in ENTRY_TYPES:
        for other in ENTRY_TYPES:
            if other != kind:
                with pytest.raises(FormatError):
                    log.submit(other, signed(1, kind))
        assert log.append(kind, signed(1, kind)).new


GOOD = {
    "_type": "https://in-toto.io/Statement/v1",
    "predicate": {},
    "predicateType": predicate_type("key"),
    "subject": [{"digest": {"sha256": "00" * 32}, "name": "thing"}],
}


def test_the_good_statement_is_good(log):
    assert log.append("key", OWNER.envelope(canonical_json(GOOD))).new


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        canonical_json(GOOD) + b"\n",
        b" " + canonical_json(GOOD),
        canonical_json(GOOD).replace(b'"predicate":{}', b'"predicate":{"a":1.5}'),
        canonical_json(GOOD).replace(b'"predicate":{}', b'"predicate":{"b":1,"a":1}'),
        canonical_json(GOOD).replace(b'"predicate":{}', b'"predicate":{"a":1,"a":1}'),
        canonical_json(GOOD | {"_type": "https://in-toto.io/Statement/v0.1"}),
        canonical_json(GOOD | {"predicate": None}),
        canonical_json(GOOD | {"predicate": []}),
        canonical_json(GOOD | {"predicateType": predicate_type("release")}),
        canonical_json(GOOD | {"predicateType": "key"}),
        canonical_json(GOOD | {"subject": []}),
        canonical_json(GOOD | {"subject": {}}),
        canonical_json(GOOD | {"subject": [{"digest": {"sha256": "00" * 31}, "name": "thing"}]}),
        canonical_json(GOOD | {"subject": [{"digest": {"sha256": "AA" * 32}, "name": "thing"}]}),
        canonical_json(GOOD | {"subject": [{"digest": {"sha512": "00" * 32}, "name": "thing"}]}),
        canonical_json(GOOD | {"subject": [{"digest": {"sha256": "00" * 32}}]}),
        canonical_json(GOOD | {"more": 1}),
        canonical_json({k: v for k, v in GOOD.items() if k != "predicate"}),
        b"\xff",
    ],
    ids=range(24),
)
def test_what_is_no_statement_of_that_kind_is_not_logged(log, data):
    with pytest.raises(FormatError):
        log.submit("key", OWNER.envelope(data))
    assert log.entries() == []


@pytest.mark.parametrize("kind", ["", "Key", "file", "ask", "digest", "rotation", "key "])
def test_another_type_is_not_logged(log, kind):
    with pytest.raises(FormatError, match="type"):
        log.submit(kind, signed(1, kind))


def test_an_object_too_large_to_be_read_again_is_not_logged(log):
    room = ENVELOPE_LIMIT * 3 // 4 - 2000
    big = canonical_json(GOOD | {"predicate": {"x": "y" * room}})
    assert log.append("key", OWNER.envelope(big)).new
    assert log.entries()[0][2].payload == big
    with pytest.raises(FormatError, match="large"):
        log.submit("key", OWNER.envelope(canonical_json(GOOD | {"predicate": {"x": "z" * (room + 2000)}})))


def test_threads_share_a_log(log):
    receipts = {}

    def work(k):
        for n in range(k, 40, 4):
            receipts[n] = log.submit("key", signed(n))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    found = {n: verify_receipt(data, leaf(signed(n)), log.key) for n, data in receipts.items()}
    assert sorted(f.index for f in found.values()) == list(range(40))
    leaves = [leaf(e) for _, _, e in log.entries()]
    assert all(f.checkpoint.root == naive_root(leaves[: f.checkpoint.size]) for f in found.values())


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(ENTRY_TYPES), st.booleans(), st.booleans()), max_size=10))
def test_a_log_is_the_list_of_first_submissions(tmp_path_factory, steps):
    path, model = tmp_path_factory.mktemp("log") / "log.db", []
    log = Log.create(path, NAME, LOG)
    for n, kind, strange, reopen in steps:
        if reopen:
            log.close()
            log = Log.open(path, LOG)
        envelope = signed(n, kind, by=STRANGER if strange else OWNER)
        appended = log.append(kind, envelope)
        assert appended.new == ((kind, envelope) not in model)
        if appended.new:
            model.append((kind, envelope))
        assert model[appended.index] == (kind, envelope)
        assert verify_receipt(appended.receipt, leaf(envelope, kind), log.key).checkpoint.size == len(model)
    assert [(k, e) for _, k, e in log.entries()] == model
    assert verify_checkpoint(log.checkpoint(), log.key).root == naive_root([leaf(e, k) for k, e in model])
    log.close()


def test_two_logs_of_other_names_do_not_take_each_others_receipts(log, tmp_path):
    other = Log.create(tmp_path / "other.db", "log.test/2", LOG)
    receipt = other.submit("key", signed(1))
    with pytest.raises(SignatureError):
        verify_receipt(receipt, leaf(signed(1)), log.key)
    other.close()


def test_a_checkpoint_bears_no_more_lines_than_a_note_has_room_for(log, tmp_path):
    """Witnesses of many policies have cosigned it: readers must still be able to read what is handed out."""
    log.submit("key", signed(1))
    head = verify_checkpoint(log.checkpoint(), log.key)
    lines = {}
    for n in range(70):
        by = signer(f"witness {n}")
        key = WitnessKey(f"w{n}.test", by.public)
        lines[key] = sign_cosignature(head.text, key, by, 1 + n)
    log.keep_cosignatures(1, lines)
    [receipt] = log.receipts([leaf(signed(1))])
    for note in (log.checkpoint(), Receipt.parse(receipt).note):
        assert len(Note.parse(note).lines) == 64
    few = list(lines)[67:]
    assert {name for name, _ in Note.parse(log.checkpoint(few)).lines} == {log.key.name, *(key.name for key in few)}
    log.export(tmp_path / "copy.jsonl")
    assert len(read_log_copy((tmp_path / "copy.jsonl").read_bytes(), log.key, profile=WMPROTO_1).entries) == 1
