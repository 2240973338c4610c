"""Entries and receipts: known answer, exact round trips, and no byte that can be changed unnoticed."""

import subprocess
import sys
from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_samples import LOG, NAME, OWNER, STRANGER, naive_path, naive_root, signed

from wmproto.crypto.signer import Signer
from wmproto.errors import FormatError, InclusionError, SignatureError, UnsupportedError, VerificationError
from wmproto.registry.checkpoint import Checkpoint
from wmproto.registry.entry import entry_bytes, entry_leaf
from wmproto.registry.note import LogKey
from wmproto.registry.receipt import RECEIPT_LIMIT, Receipt, verify_receipt
from wmproto.registry.writing import sign_note
from wmproto.wire.compose import compose_envelope
from wmproto.wire.profile import WMPROTO_1, Profile

KEY = LogKey(NAME, LOG.public)

# reference/known-answers.json, log_entry; made by an independent implementation.
ZBYTES = (
    b'{"_type":"https://in-toto.io/Statement/v1","predicate":{"N":16,"R":"4c5b5238c20ec133bb281326d2a23b91b2395a7e519ba83c'
    b'871db66db9c76050","classes":["0","1","2","3","4","5","6","7","8","9"],"input":{"dtype":"uint8","kind":"image","shape":'
    b'[32]},"keyctx":"202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f","label_source":"fiat-shamir","labels'
    b'":"secret","m":10,"mode":"U","owner":"2543b92ff1095511476adc8369db6ddc933665a11978dda1404ee1066ca9559d","profile":"wmp'
    b'roto/1","q":1,"suite":"sha256-tree"},"predicateType":"tag:wmproto,2025:key/1","subject":[{"digest":{"sha256":"bb842ab9'
    b'd3eaaf5410201261ad98ace6a9e5cd0739ee98e4d78d9db4d1077051"},"name":"root"}]}'
)
ENTRY = (
    "000000000000000f776d70726f746f2f312f656e74727900000000000000036b657900000000000000201b72ee3b25ff334aee0503b405a595caffb3"
    "3ba0c4371c8521e15b397794379e00000000000000202543b92ff1095511476adc8369db6ddc933665a11978dda1404ee1066ca9559d000000000000"
    "0040152ecd753f192963e602403c79e4c6881df0312b2b8e6bebf40c0d507cd0603e3d4258c0ead2e9c348906181eb50b1c4eb71c943f4acfbdb8392"
    "b1877507bd02"
)
LEAF = "076bf833e8db685b2f1e5bd63531bebf3e9e001d665b608322aac02472e663c1"


def test_an_entry_is_what_an_independent_implementation_made():
    envelope = Signer(bytes(range(0x40, 0x60))).envelope(ZBYTES)
    assert entry_bytes(WMPROTO_1, "key", envelope).hex() == ENTRY
    assert entry_leaf(WMPROTO_1, "key", envelope).hex() == LEAF


def test_an_entry_depends_on_profile_type_payload_signer_and_signature():
    envelope = signed(1)
    others = [
        entry_leaf(Profile("wmproto-test/1"), "key", envelope),
        entry_leaf(WMPROTO_1, "release", envelope),
        entry_leaf(WMPROTO_1, "key", signed(2)),
        entry_leaf(WMPROTO_1, "key", signed(1, by=STRANGER)),
        entry_leaf(WMPROTO_1, "key", compose_envelope(envelope.payload, OWNER.public, bytes(64))),
    ]
    assert len({entry_leaf(WMPROTO_1, "key", envelope), *others}) == 6


# --- a receipt for entry 4 of 11 ----------------------------------------------------------------------------

LEAVES = [sha256(b"leaf %d" % i).digest() for i in range(11)]


def note(size=11, root=None, text=None):
    return sign_note(text or Checkpoint(NAME, size, root or naive_root(LEAVES[:size])).text, NAME, LOG)


RECEIPT = Receipt(4, tuple(naive_path(4, LEAVES)), note())
DATA = RECEIPT.to_bytes()


def test_a_receipt_looks_like_the_specification():
    hashes = [b64encode(h).decode() for h in naive_path(4, LEAVES)]
    expected = "\n".join(["c2sp.org/tlog-proof@v1", "index 4", *hashes, "", ""]).encode() + note()
    assert expected == DATA
    assert Receipt.parse(DATA) == RECEIPT
    found = verify_receipt(DATA, LEAVES[4], KEY)
    assert (found.index, found.checkpoint.size, found.checkpoint.root, found.note) == (
        4,
        11,
        naive_root(LEAVES),
        note(),
    )


@pytest.mark.parametrize("size", range(1, 12))
def test_every_proof_of_every_size_verifies_and_no_other_leaf_does(size):
    for index in range(size):
        data = Receipt(index, tuple(naive_path(index, LEAVES[:size])), note(size)).to_bytes()
        assert verify_receipt(data, LEAVES[index], KEY).index == index
        for leaf in (*(x for x in LEAVES if x != LEAVES[index]), b"", bytes(32), naive_root(LEAVES[:size])):
            if leaf != LEAVES[index]:
                with pytest.raises(InclusionError):
                    verify_receipt(data, leaf, KEY)


def test_one_entry_has_an_empty_path():
    data = Receipt(0, (), note(1)).to_bytes()
    assert data.startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\nlog.test/1\n1\n")
    assert verify_receipt(data, LEAVES[0], KEY).checkpoint.size == 1


@pytest.mark.parametrize("index", [3, 5, 10, 11, 12, 2**63 - 1])
def test_another_index_is_refused(index):
    with pytest.raises(InclusionError):
        verify_receipt(Receipt(index, RECEIPT.path, RECEIPT.note).to_bytes(), LEAVES[4], KEY)


@pytest.mark.parametrize(
    "path", [(), RECEIPT.path[:-1], (*RECEIPT.path, bytes(32)), RECEIPT.path[::-1], (bytes(32),) * 60]
)
def test_another_path_is_refused(path):
    with pytest.raises(InclusionError):
        verify_receipt(Receipt(4, path, RECEIPT.note).to_bytes(), LEAVES[4], KEY)


def test_size_and_root_come_from_the_signed_checkpoint():
    for other in (note(10), note(8, naive_root(LEAVES)), note(11, bytes(32)), note(0, sha256(b"").digest())):
        with pytest.raises(InclusionError):
            verify_receipt(Receipt(4, RECEIPT.path, other).to_bytes(), LEAVES[4], KEY)
    for key in (LogKey(NAME, STRANGER.public), LogKey("log.test/2", LOG.public)):
        with pytest.raises(SignatureError):
            verify_receipt(DATA, LEAVES[4], key)


def test_an_inner_node_is_no_leaf():
    data = Receipt(0, tuple(naive_path(0, LEAVES[:4])[1:]), note(2, naive_root(LEAVES[:4]))).to_bytes()
    node = sha256(b"\x01" + LEAVES[0] + LEAVES[1]).digest()
    assert verify_receipt(data, node, KEY).index == 0  # the tree cannot tell; a leaf is SHA-256(0x00 ...), hence:
    assert (
        entry_leaf(WMPROTO_1, "key", signed(1)) == sha256(b"\x00" + entry_bytes(WMPROTO_1, "key", signed(1))).digest()
    )


def test_a_blank_line_among_the_hashes_makes_another_note():
    first = b64encode(RECEIPT.path[0])
    with pytest.raises(SignatureError):
        verify_receipt(DATA.replace(first, b"\n" + first), LEAVES[4], KEY)


TEXT = DATA.decode()
HASH = b64encode(RECEIPT.path[0]).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1\n",
        "c2sp.org/tlog-proof@v1\n\n" + RECEIPT.note.decode(),
        TEXT.replace("@v1", "@v2"),
        TEXT.replace("@v1", "@v1 "),
        " " + TEXT,
        "\n" + TEXT,
        TEXT.replace("\n", "\r\n"),
        *(
            TEXT.replace("index 4", f"index {n}")
            for n in ["+4", "04", " 4", "4 ", "", "-0", "4_0", "\u0664", "\uff14", "9" * 400]
        ),
        TEXT.replace("index 4", f"index {2**63}"),
        TEXT.replace("index 4", "index"),
        TEXT.replace("index 4", "Index 4"),
        TEXT.replace("index 4", "index\t4"),
        TEXT.replace("index 4", "index 4\nindex 4"),
        TEXT.replace(HASH, HASH + " "),
        TEXT.replace(HASH, HASH[:-1]),
        TEXT.replace(HASH, HASH[:-2] + "B="),
        TEXT.replace(HASH, HASH[:8] + "\u00f6" + HASH[9:]),
        TEXT.replace(HASH, HASH[:8] + "*" + HASH[8:]),
        TEXT.replace(HASH, b64encode(bytes(31)).decode()),
        TEXT.replace(HASH, b64encode(bytes(33)).decode()),
        TEXT.replace(HASH, RECEIPT.path[0].hex()),
        TEXT.replace("\n\nlog", "\nlog"),
        TEXT + "\n",
        TEXT[:-1],
        TEXT + "x" * RECEIPT_LIMIT,
    ],
)
def test_another_form_of_a_receipt_is_refused(text):
    with pytest.raises(FormatError):
        verify_receipt(text.encode(), LEAVES[4], KEY)


def test_a_long_path_is_refused_before_it_is_read():
    with pytest.raises(FormatError, match="bytes"):
        Receipt.parse(Receipt(4, (bytes(32),) * 2000, note()).to_bytes())


@pytest.mark.parametrize("extra", ["extra AAAA", "extra ", "extra ====", "extra " + "A" * 400])
def test_an_extra_line_is_refused_by_name(extra):
    with pytest.raises(UnsupportedError, match="extra"):
        Receipt.parse(TEXT.replace("index 4", f"{extra}\nindex 4").encode())


def test_lines_of_witnesses_are_kept_and_change_nothing():
    witnessed = DATA + "\u2014 witness.example AAAAAAAA\n".encode()
    found = verify_receipt(witnessed, LEAVES[4], KEY)
    assert (found.index, found.checkpoint.size, found.checkpoint.root) == (4, 11, naive_root(LEAVES))
    assert Receipt.parse(witnessed).to_bytes() == witnessed


def mutants(data):
    for at in range(len(data)):
        byte = data[at]
        for other in {byte ^ 1, byte ^ 0x20, byte ^ 0x80, 10, 32, 0} - {byte}:
            yield data[:at] + bytes([other]) + data[at + 1 :]
        yield data[:at] + data[at + 1 :]
        yield data[:at] + data[at : at + 1] + data[at:]


@pytest.mark.parametrize(
    "data", [DATA, DATA + "\u2014 witness.example AAAAAAAA\n".encode()], ids=["plain", "witnessed"]
)
def test_no_byte_of_a_receipt_can_be_changed_unnoticed(data):
    was, refused = verify_receipt(data, LEAVES[4], KEY), 0
    for mutant in mutants(data):
        try:
            found = verify_receipt(mutant, LEAVES[4], KEY)
        except (FormatError, VerificationError):
            refused += 1
        else:
            assert (found.index, found.checkpoint.size, found.checkpoint.root) == (
                was.index,
                was.checkpoint.size,
                was.checkpoint.root,
            )
            assert found.note.startswith(note()[:-1][:60]), "only unsigned lines may differ"
            assert mutant[: len(DATA)] == DATA, "and only behind the log's own line"
    assert refused > 7 * len(DATA)


def test_every_byte_of_a_plain_receipt_counts():
    for mutant in mutants(DATA):
        with pytest.raises((FormatError, VerificationError)):
            verify_receipt(mutant, LEAVES[4], KEY)


hashes = st.binary(min_size=32, max_size=32)


@given(st.integers(0, 2**63 - 1), st.lists(hashes, max_size=70), st.binary(max_size=100))
def test_what_is_written_is_read_again(index, path, tail):
    receipt = Receipt(index, tuple(path), tail)
    assert Receipt.parse(receipt.to_bytes()) == receipt


pieces = st.sampled_from(
    ["c2sp.org/tlog-proof@v1", "index 0", "index 7", "index 07", HASH, "", "extra AA==", "x", "\u0667"]
)


@settings(max_examples=300)
@given(st.binary(max_size=100) | st.lists(pieces, max_size=8).map(lambda p: "\n".join(p).encode()))
def test_a_parser_raises_only_format_errors_and_what_it_takes_it_writes_again(data):
    for start in (b"", b"c2sp.org/tlog-proof@v1\nindex 3\n"):
        try:
            receipt = Receipt.parse(start + data)
        except FormatError:
            continue
        assert receipt.to_bytes() == start + data
        with pytest.raises((FormatError, VerificationError)):
            verify_receipt(start + data, LEAVES[4], KEY)


def test_the_audit_path_loads_no_database():
    code = (
        "import sys, wmproto.registry.copy, wmproto.registry.receipt, wmproto.registry.entry;"
        "bad = {'sqlalchemy', 'sqlite3', 'numpy', 'torch', 'cryptography', 'wmproto.registry.log',"
        "'wmproto.registry.store', 'wmproto.registry.tables', 'wmproto.registry.view'} & set(sys.modules);"
        "sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
