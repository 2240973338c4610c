"""The metadata of a file is somebody else's: what cannot be read is refused by name, and what is huge at once."""

import json

import pytest

from wmproto.errors import FormatError
from wmproto.release import modelfile
from wmproto.release.modelfile import ARCHITECTURE_KEY, INT8_KEY, read_metadata, read_model
from wmproto.release.tensors import HEADER_LIMIT


def _file(header):
    return len(header).to_bytes(8, "little") + header


@pytest.mark.parametrize("name", [ARCHITECTURE_KEY, INT8_KEY, "wmproto.training", "note", "\ud800"], ids=ascii)
@pytest.mark.parametrize("text", ["\ud800", "{}\udfff", "\udc00\ud800"], ids=ascii)
def test_half_a_character_is_refused_by_name(name, text):
    data = _file(json.dumps({"__metadata__": {name: text}}).encode())
    with pytest.raises(FormatError, match=r"^copy: header: its metadata is not UTF-8$"):
        read_metadata(data, what="copy")
    with pytest.raises(FormatError, match=r"^model: header: its metadata is not UTF-8$"):
        read_model(data)


def test_whole_characters_are_read_as_they_are():
    given = {"a": "\U0001f600 é", "b": "", "c": "\\ud800"}
    assert read_metadata(_file(json.dumps({"__metadata__": given | {"n": 1}}).encode()), what="x") == given
    assert read_metadata(_file(b"{}"), what="x") == read_metadata(_file(b"[]"), what="x") == {}


def test_a_header_that_is_too_large_is_refused_before_it_is_parsed(monkeypatch):
    header = b'{"a":' + b"[" * (40 << 20)
    with monkeypatch.context() as patch:
        patch.setattr(modelfile, "parse_json", lambda *a, **kw: pytest.fail("it was parsed"))
        for size in (HEADER_LIMIT + 1, len(header)):
            with pytest.raises(FormatError, match=f"^model: a header of {size} bytes is more than the 4194304 allowed"):
                read_model(_file(header[:size]))
    assert read_metadata(_file(b"{}".ljust(HEADER_LIMIT)), what="x") == {}


@pytest.mark.parametrize("data", [b"", b"\x80\x04", b"\xff" * 100, _file(b"{}")[:-1]], ids=range(4))
def test_what_is_no_such_file_is_told_so(data):
    with pytest.raises(FormatError, match="not a safetensors file"):
        read_metadata(data, what="x")
