"""``python -m wmproto`` is the command ``wmproto``."""

from wmproto.cli.main import entry

if __name__ == "__main__":
    entry()
