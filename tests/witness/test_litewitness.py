"""Against a witness that others wrote: its answers verify, and to the same requests ours answers the same."""

import json
from pathlib import Path

import pytest
from witness_samples import WITNESS, WITNESS_KEY, Clock, rows, size_of, verify_line

from wmproto.registry.add_checkpoint import SIZE_TYPE
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.heads import Heads
from wmproto.registry.note import LogKey, Note
from wmproto.registry.witness import Witness

RAN = json.loads((Path(__file__).parent / "litewitness.json").read_text(encoding="utf-8"))
THEIRS, LOG_OF_THEIRS = WitnessKey.parse(RAN["witness_vkey"]), LogKey.parse(RAN["log_vkey"])


def text(row):
    return Note.parse(row["request"].partition("\n\n")[2].encode()).text


def test_litewitness_answers_verify_under_its_key():
    signed = [row for row in RAN["rows"] if row["status"] == 200]
    assert len(signed) >= 5
    for row in signed:
        if row["name"] == "extension line":  # it signs only the first three lines: reg-witness-11 is against that
            verify_line(row["response"], "".join(line + "\n" for line in text(row).split("\n")[:3]), THEIRS)
        else:
            verify_line(row["response"], text(row), THEIRS)


def test_to_the_same_requests_ours_answers_what_the_spec_says(tmp_path):
    path, size = tmp_path / "state", 0
    ours = Witness(Heads.create(path, WITNESS_KEY), WITNESS, [LOG_OF_THEIRS], Clock())
    for row in RAN["rows"]:
        before = rows(path)
        answer = ours.add_checkpoint(row["request"].encode())
        assert answer.status == row["ours"], (row["name"], answer)
        if answer.status == 200:
            verify_line(answer.body.decode(), text(row))
            assert size_of(path, LOG_OF_THEIRS.name) == int(text(row).split("\n")[1])
        else:
            assert rows(path) == before, row["name"]
        if row["status"] == row["ours"] == 409:
            assert (answer.content_type, answer.body.decode()) == (row["content_type"], row["response"])
            assert answer.content_type == SIZE_TYPE
        size = max(size, size_of(path, LOG_OF_THEIRS.name))
    assert size == 600


def test_where_ours_differs_is_said_with_a_reason():
    assert {row["name"] for row in RAN["rows"] if row["status"] != row["ours"]} == set(RAN["why"])


@pytest.mark.parametrize("name", ["first, size 3", "8 -> 256"])
def test_our_line_is_not_theirs(tmp_path, name):
    [row] = [row for row in RAN["rows"] if row["name"] == name]
    with pytest.raises(AssertionError):
        verify_line(row["response"], text(row))
