"""Shared by all tests: a fixed Hypothesis profile, so that CI is deterministic; and what was left out, by file."""

from collections import Counter

from hypothesis import settings

settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci")


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    left_out = Counter((test.nodeid.split("::")[0], test.longrepr[2].removeprefix("Skipped: ")) for test in skipped)
    for (file, reason), count in sorted(left_out.items()):
        terminalreporter.write_line(f"left out: {count} of {file}: {reason}")
