"""Tensors and h_f: known values by naive code, and every way in which a file can be wrong."""

import json
import struct
from hashlib import sha256
from math import prod

import pytest
import safetensors
from architecture_samples import every_layer, fitting
from hypothesis import given
from hypothesis import strategies as st

from wmproto.errors import FormatError
from wmproto.release.architecture import architecture_bytes, parse_architecture
from wmproto.release.tensors import TensorDigest, model_digest, read_tensors, tensor_root
from wmproto.wire.profile import Profile

ARCH = parse_architecture(every_layer())


def _file(entries, *, metadata=None, order=None, header=None):
    """A safetensors file by hand: entries name -> (dtype, shape, bytes)."""
    table, body = {}, b""
    if metadata is not None:
        table["__metadata__"] = metadata
    for name in order or entries:
        dtype, shape, raw = entries[name]
        table[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    text = header(table) if header else json.dumps(table).encode()
    return struct.pack("<Q", len(text)) + text + body


def _entries(arch=ARCH):
    entries = {}
    for i, (name, shape) in enumerate(arch.tensors.items()):
        n = prod(shape)
        entries[name] = ("F32", shape, struct.pack(f"<{n}f", *(i + j / 8 for j in range(n))))
    return entries


def _fields(*fields):
    out = b""
    for field in fields:
        raw = (
            field.to_bytes(8, "big") if isinstance(field, int) else field.encode() if isinstance(field, str) else field
        )
        out += len(raw).to_bytes(8, "big") + raw
    return out


def _naive_root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\x01" + _naive_root(leaves[:k]) + _naive_root(leaves[k:])).digest()


def _naive_h_f(arch, entries, name="wmproto/1"):
    leaves = [
        sha256(b"\x00" + _fields(f"{name}/tensor", tensor, *entries[tensor][:1], _fields(*shape), raw)).digest()
        for tensor, (_, shape, raw) in sorted(entries.items(), key=lambda item: item[0].encode())
    ]
    return sha256(_fields(f"{name}/model", _naive_root(leaves), architecture_bytes(arch))).digest()


def test_h_f_is_what_naive_code_computes():
    entries = _entries()
    digests = read_tensors(_file(entries), ARCH)
    assert [d.name for d in digests] == sorted(entries, key=str.encode)
    assert all(d.dtype == "F32" and d.shape == ARCH.tensors[d.name] for d in digests)
    assert model_digest(ARCH, digests) == _naive_h_f(ARCH, entries)


def test_h_f_does_not_move_by_accident():
    # by this file's naive code, once
    h_f = "c65d622d18b759de6c33d8c38eca1ca77cf31ab54e6f0351ade01d164c3ae8ab"
    assert model_digest(ARCH, read_tensors(_file(_entries()), ARCH)).hex() == h_f


def test_a_test_profile_has_other_digests():
    toy = Profile("wmproto-test/1")
    digests = read_tensors(_file(_entries()), ARCH, profile=toy)
    assert model_digest(ARCH, digests, profile=toy) == _naive_h_f(ARCH, _entries(), "wmproto-test/1")
    assert model_digest(ARCH, digests, profile=toy) != model_digest(ARCH, read_tensors(_file(_entries()), ARCH))


@given(fitting())
def test_naive_agrees_on_any_architecture(doc):
    arch = parse_architecture(doc)
    entries = _entries(arch)
    assert model_digest(arch, read_tensors(_file(entries), arch)) == _naive_h_f(arch, entries)


@given(st.permutations(sorted(_entries())), st.none() | st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_order_in_the_file_and_metadata_do_not_count(order, metadata):
    assert read_tensors(_file(_entries(), order=order, metadata=metadata), ARCH) == read_tensors(
        _file(_entries()), ARCH
    )


def test_one_changed_bit_changes_one_digest():
    entries = _entries()
    dtype, shape, raw = entries["8.bias"]
    before = read_tensors(_file(entries), ARCH)
    entries["8.bias"] = (dtype, shape, raw[:-1] + bytes([raw[-1] ^ 1]))
    after = read_tensors(_file(entries), ARCH)
    assert [a.name for a, b in zip(after, before, strict=True) if a != b] == ["8.bias"]
    assert model_digest(ARCH, after) != model_digest(ARCH, before)


def _swap(entries, name, value):
    return _file(entries | {name: value})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_file({k: v for k, v in _entries().items() if k != "8.bias"}), "'8.bias' is missing"),
        (_swap(_entries(), "9.bias", ("F32", (1,), bytes(4))), "'9.bias' is not used"),
        (_swap(_entries(), "2.num_batches_tracked", ("I64", (), bytes(8))), "'2.num_batches_tracked' is not used"),
        (_swap(_entries(), "8.bias", ("F16", (7,), bytes(14))), "'8.bias' is F16"),
        (_swap(_entries(), "8.bias", ("F64", (7,), bytes(56))), "'8.bias' is F64"),
        (_swap(_entries(), "8.bias", ("I32", (7,), bytes(28))), "'8.bias' is I32"),
        (_swap(_entries(), "8.bias", ("F32", (8,), bytes(32))), "'8.bias' has shape [8]"),
        (_swap(_entries(), "8.bias", ("F32", (1, 7), bytes(28))), "'8.bias' has shape [1, 7]"),
        (_swap(_entries(), "8.weight", ("F32", (24, 7), bytes(672))), "'8.weight' has shape [24, 7]"),
        (_swap(_entries(), "8.bias", ("F32", (0,), b"")), "'8.bias' has shape [0]"),
        (_swap(_entries(), "8.bias", ("X7", (7,), bytes(28))), "not a safetensors file"),
        (_swap(_entries(), "8.bias", ("F32", (7,), bytes(24))), "not a safetensors file"),
        (_file(_entries()) + b"\x00", "not a safetensors file"),
        (_file(_entries())[:-1], "not a safetensors file"),
        (_file(_entries(), header=lambda _: b"[]"), "not a JSON object"),
        (_file(_entries(), header=lambda _: b"{"), "not JSON"),
        (_file(_entries(), header=lambda t: json.dumps(t).encode().replace(b"[7]", b"[7.0]")), "integer"),
        (b"", "not a safetensors file"),
        (b"\x80\x04}q\x00." * 9, "not a safetensors file"),
        (b"PK\x03\x04" + bytes(60), "not a safetensors file"),
        (struct.pack("<Q", 2**63) + bytes(60), "not a safetensors file"),
        (struct.pack("<Q", 2) + b"{}", "is missing"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)  # fmt: skip
def test_wrong_files_are_refused_by_name(data, words):
    with pytest.raises(FormatError) as caught:
        read_tensors(data, ARCH)
    assert words in str(caught.value)
    assert caught.value.hint


def test_a_name_that_stands_twice_is_refused_although_the_library_reads_it():
    def twice(table):
        text = json.dumps(table)
        entry = json.dumps({"8.bias": table["8.bias"]})[1:-1]
        return f"{text[:-1]}, {entry}}}".encode()

    data = _file(_entries(), header=twice)
    with pytest.raises(FormatError, match="twice"):
        read_tensors(data, ARCH)


def test_overlapping_and_missing_bytes_are_refused():
    for shift in (-4, 4):

        def moved(table, shift=shift):
            table["8.bias"]["data_offsets"] = [n + shift for n in table["8.bias"]["data_offsets"]]
            return json.dumps(table).encode()

        with pytest.raises(FormatError):
            read_tensors(_file(_entries(), header=moved), ARCH)


@given(st.binary(max_size=300))
def test_random_bytes_give_only_format_errors(data):
    with pytest.raises(FormatError):
        read_tensors(data, ARCH)


_GOOD = _file(_entries())
_HEADER = 8 + int.from_bytes(_GOOD[:8], "little")


@given(st.integers(0, _HEADER - 1), st.integers(1, 255))
def test_a_changed_header_byte_is_refused_or_says_the_same(at, flip):
    data = bytearray(_GOOD)
    data[at] ^= flip
    try:
        found = read_tensors(bytes(data), ARCH)
    except FormatError:
        return
    assert len(found) == len(ARCH.tensors)
    assert safetensors.deserialize(bytes(data))


def test_the_digest_wants_exactly_the_architectures_tensors():
    digests = read_tensors(_GOOD, ARCH)
    wrong = TensorDigest(digests[0].name, "F16", digests[0].shape, digests[0].digest)
    for bad in (digests[1:], digests[::-1], (*digests, digests[-1]), (wrong, *digests[1:]), ()):
        with pytest.raises(FormatError):
            model_digest(ARCH, bad)
    for bad in (digests[::-1], (*digests, digests[-1])):
        with pytest.raises(FormatError):
            tensor_root(bad)
