"""tlog-scales, a stranger's library for C2SP logs, reads what wmproto publishes, and wmproto reads what it writes."""

import subprocess
import sys
from pathlib import Path

import pytest
from entry_samples import SEED, entry
from log_samples import LOG, NAME, STRANGER, signer
from note_samples import TIMES, W1, W2
from tlog_scales import signing, tlog
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader

from wmproto.crypto.consistency import verify_consistency
from wmproto.errors import UnsupportedError
from wmproto.registry.checkpoint import verify_checkpoint
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.log import Log
from wmproto.registry.note import LogKey
from wmproto.registry.policy import LogPolicy
from wmproto.registry.receipt import Receipt, verify_receipt
from wmproto.registry.source import FolderSource
from wmproto.registry.writing import sign_cosignature

KEY = LogKey(NAME, LOG.public)
PAIRS = [(1, 2), (1, 520), (2, 3), (100, 256), (255, 256), (256, 257), (256, 512), (257, 520), (300, 519), (520, 520)]


def files(folder):
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def own_files(folder):
    """Without what is not C2SP's: the statements."""
    return {name: data for name, data in files(folder).items() if not name.startswith("statement/")}


def reader(folder):
    reader = TilesReader(LocalBackend(folder))
    return reader, reader.get_checkpoint()


# --- it reads ours ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 130, 256, 257, 520])
def test_it_reads_every_published_log(log, published, entries, leaves, size):
    theirs, checkpoint = reader(published[size])
    checkpoint.verify(signing.Vkey.from_string(log.vkey))
    assert (checkpoint.origin, checkpoint.size, checkpoint.root_hash) == (NAME, size, theirs.calculate_root_hash())
    assert [theirs.get_entry(index) for index in range(size)] == entries[:size]
    for index in {0, size // 2, size - 1}:
        proof = theirs.get_inclusion_proof(index, size)
        proof.check(leaves[index], checkpoint.root_hash)
        [receipt] = log.receipts([leaves[index]], size=size)
        assert tuple(proof.node_hashes) == Receipt.parse(receipt).path


def test_its_consistency_proofs_are_ours_and_each_verifies_the_others(log, published):
    theirs, _ = reader(published[520])
    for old, new in PAIRS:
        roots = [theirs.mth(0, old), theirs.mth(0, new)]
        ours = log.consistency(old, new)
        assert theirs.get_consistency_proof(old, new).node_hashes == list(ours)
        tlog.ConsistencyProof(old, new, list(ours)).check(*roots)
        verify_consistency(old=old, new=new, proof=ours, old_root=roots[0], new_root=roots[1])
        with pytest.raises(tlog.ConsistencyProofInvalid):
            tlog.ConsistencyProof(old, new, list(ours)).check(bytes(32), roots[1])


def test_its_command_prints_our_receipts_and_entries_to_the_byte(log, published, entries, leaves):
    for index in (0, 519):
        assert [tool("gen-proof", published[520], index)] == log.receipts([leaves[index]])
        assert tool("get-leaf", "-c", published[520], index) == entries[index]


def tool(*args):
    command = Path(sys.executable).with_name("tlog-tiles")
    return subprocess.run([command, *map(str, args)], check=True, capture_output=True).stdout


def test_it_verifies_our_witnesses(tmp_path):
    log = Log.create(tmp_path / "registry.db", NAME, LOG)
    log.append(*entry(0))
    text = verify_checkpoint(log.checkpoint(), log.key).text
    for key, name in ((W1, "witness1"), (W2, "witness2")):
        log.keep_cosignatures(1, {key: sign_cosignature(text, key, signer(name), TIMES[key])})
    checkpoint = tlog.Checkpoint.from_text(log.checkpoint().decode())
    known = [signing.Vkey.from_string(vkey) for vkey in (log.vkey, str(W1), str(W2))]
    assert {key for key, _ in signing.VkeySet(*known).verify(checkpoint.signatures, checkpoint)} == set(known)
    later = tlog.Checkpoint(NAME, 2, checkpoint.root_hash, checkpoint.signatures)
    assert signing.VkeySet(*known).verify(later.signatures, later) == set()
    assert checkpoint.serialize().encode() == log.checkpoint()
    log.close()


# --- we read its ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 130, 256, 257, 520])
def test_it_writes_the_files_that_we_publish(theirs, published, size):
    """Tiles, bundles and checkpoint, name by name and byte by byte, also the partial ones of every earlier size."""
    ours, of_it = own_files(published[size]), files(theirs[size])
    assert ours.keys() == of_it.keys()
    assert ours == of_it


def test_we_read_its_log_and_its_proofs(theirs, entries, leaves):
    source = FolderSource(theirs[520])
    checkpoint = verify_checkpoint(source.checkpoint(), KEY)
    assert checkpoint.size == 520
    assert [one for n, width in ((0, 256), (1, 256), (2, 8)) for one in source.entries(n, width)] == entries
    assert [one for n, width in ((0, 256), (1, 256), (2, 8)) for one in source.tile(0, n, width)] == leaves
    its, _ = reader(theirs[520])
    for index in (0, 255, 256, 511, 512, 519):
        proof = its.get_inclusion_proof(index, 520)
        receipt = Receipt(index, tuple(proof.node_hashes), source.checkpoint()).to_bytes()
        assert verify_receipt(receipt, leaves[index], KEY).index == index


def test_lines_of_type_06_are_passed_over_and_their_keys_refused_by_name(theirs):
    """ML-DSA-44 cosignatures, which its witnesses can make and we cannot verify yet: not an error, and no quorum."""
    root = verify_checkpoint((theirs[520] / "checkpoint").read_bytes(), KEY).root
    post_quantum = signing.MLDSA44CosignatureSigner("pq.example", bytes(32))
    signers = [signing.PlainEd25519Signer(NAME, SEED), post_quantum]
    note = tlog.Checkpoint.make_signed(NAME, 520, root, signers).serialize().encode()
    text = verify_checkpoint(note, KEY).text
    note += sign_cosignature(text, W1, signer("witness1"), TIMES[W1]).encode()
    policy = f"log {KEY}\nwitness w {W1}\nquorum w\n"
    assert LogPolicy.parse(policy.encode()).verify(note).size == 520
    for parse in (WitnessKey.parse, LogKey.parse, lambda vkey: LogPolicy.parse(f"witness w {vkey}\n{policy}".encode())):
        with pytest.raises(UnsupportedError, match="ML-DSA-44"):
            parse(post_quantum.vkey.serialize())


def test_its_keys_are_ours():
    for key, kind in ((KEY, 1), (LogKey("l\u00f6g.example", STRANGER.public), 1), (W1, 4)):
        assert signing.Vkey(key.name, None, kind, key.public).serialize() == str(key)
        assert type(key).parse(signing.Vkey.from_string(str(key)).serialize()) == key
