"""Files and fsck over PostgreSQL are those over SQLite."""

import pytest
from log_samples import LOG, NAME, STRANGER
from published import KEY, grow, naive_files, objects, read, sample
from stores import NAMES, Place

from wmproto.errors import CorruptStoreError
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.fsck import Totals, fsck
from wmproto.registry.log import Log
from wmproto.registry.note import Note
from wmproto.registry.publish import publish
from wmproto.registry.writing import sign_cosignature

WITNESS = WitnessKey("w.example", STRANGER.public)


@pytest.fixture(params=NAMES)
def place(request, tmp_path):
    return Place(request.param, tmp_path)


def test_files_and_fsck_are_the_same_over_each_store(place, tmp_path):
    log = Log.create(place.where, NAME, LOG)
    for start, end in ((0, 5), (5, 260)):
        grow(log, [sample(n) for n in range(start, end)])
        text = Note.parse(log.checkpoint()).text
        log.keep_cosignatures(end, {WITNESS: sign_cosignature(text, WITNESS, STRANGER, 7)})
        publish(log, tmp_path / "out")
    files = read(tmp_path / "out")
    assert naive_files(objects(range(260)), files["checkpoint"]).items() <= files.items()
    assert Note.parse(files["checkpoint"]).signed_by(WITNESS)
    assert fsck(log) == Totals(260, sum(260 >> level for level in range(9)), 3, 2)
    log.close()


@pytest.mark.parametrize(
    ("sql", "words"),
    [("UPDATE entries SET subject = {zeros} WHERE idx = 4", "subject of entry 4 "),
     ("UPDATE entries SET kind = 'admit' WHERE idx = 4", "entry 4 "),
     ("UPDATE statements SET envelope = {zeros} WHERE idx = 4", "entry 4 "),
     ("UPDATE nodes SET hash = {zeros} WHERE level = 2 AND idx = 0", "node 0 of level 2 "),
     ("DELETE FROM nodes WHERE level = 1 AND idx = 1", "node 1 of level 1 .* missing"),
     ("UPDATE checkpoints SET note = {zeros} WHERE size = 3", "checkpoint of 3 "),
     ("DELETE FROM checkpoints WHERE size = 7", "7 entries and no checkpoint")],
)  # fmt: skip
def test_damage_is_named_over_each_store(place, sql, words):
    log = Log.create(place.where, NAME, LOG)
    for numbers in (range(3), range(3, 7)):
        grow(log, [sample(n) for n in numbers])
    log.close()
    place.execute(sql.format(zeros=place.zeros(32)))
    log = Log.open(place.where, checked=False)
    with pytest.raises(CorruptStoreError, match=words):
        fsck(log)
    assert log.key == KEY
    log.close()
