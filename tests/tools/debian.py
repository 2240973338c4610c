"""Debian's packages that some tests need and pip cannot install; run as a program (make test-deps), installs them."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

MODULES = Path("/usr/share/gocode")  # Debian's GOPATH
#: Package -> whether it is there: under the name of a command, or as a folder.
PACKAGES = {
    "chromium": lambda: shutil.which("chromium"),
    "golang-go": lambda: shutil.which("go"),
    "golang-golang-x-mod-dev": (MODULES / "src/golang.org/x/mod/sumdb").is_dir,
}


def missing(*packages):
    """Which of them are not installed."""
    return [name for name in packages if not PACKAGES[name]()]


def needs(*packages):
    """A mark for tests that are left out without these packages; with WMPROTO_TEST_ALL set, nothing may be."""
    import pytest

    lacking = missing(*packages)
    reason = f"not installed (make test-deps): {', '.join(lacking)}"
    if lacking and os.environ.get("WMPROTO_TEST_ALL"):
        pytest.fail(reason, pytrace=False)
    return pytest.mark.skipif(bool(lacking), reason=reason)


def install():
    """Install what is missing, with apt-get as root; returns what still is."""
    for pause in (0, 10, 30):  # seconds: a mirror that does not answer may do so soon
        lacking = missing(*PACKAGES)
        if not lacking or not shutil.which("apt-get") or os.geteuid():
            break
        time.sleep(pause)
        for command in (["update"], ["install", "-y", *lacking]):
            quiet = {"stdout": subprocess.DEVNULL, "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}}
            subprocess.run(["apt-get", "-q", *command], check=False, **quiet)
    return missing(*PACKAGES)


if __name__ == "__main__":
    if lacking := install():
        sys.exit(f"test-deps: cannot install {', '.join(lacking)} (that takes Debian's apt-get, and root)")
    print(f"test-deps: {', '.join(PACKAGES)}: installed")
