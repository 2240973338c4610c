"""Runs the console blocks of a page: each ``$ command`` must print what stands below it.

A line ``…`` stands for any lines, and ``…`` within a line for any text. ``[exit code N]`` closes a command that does not
end with 0. stdout and stderr are taken together, as a terminal shows them.
"""

import re
import subprocess
import sys
from pathlib import Path


def commands(page):
    """(command, expected lines, exit code) of every console block, in order."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, rest = part.replace("\\\n", "").partition("\n")
            code = re.search(r"^\[exit code (\d+)\]\n", rest, re.MULTILINE)
            expected = re.sub(r"^\[exit code \d+\]\n", "", rest, flags=re.MULTILINE).splitlines()
            found.append((line, expected, int(code[1]) if code else 0))
    return found


def pattern(expected):
    """A regular expression for a whole output."""
    out = []
    for line in expected:
        if line == "…":
            out.append(r"(?:.*\n)*?")
        else:
            out.append(".*?".join(re.escape(text) for text in line.split("…")) + r"\n")
    return "".join(out)


def run(command, folder):
    """(output, exit code) of one command line; ``wmproto`` is this interpreter's."""
    python = f'"{sys.executable}" -m wmproto '
    shell = re.sub(r"(^|&& |\| |do )wmproto ", lambda m: m[1] + python, command)
    done = subprocess.run(
        shell, shell=True, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )
    return done.stdout, done.returncode


def check(page: Path, folder: Path):
    """Run every command of a page in the folder, in order; raises AssertionError with both texts."""
    listed = commands(page.read_text(encoding="utf-8"))
    assert listed, f"{page} holds no command"
    for command, expected, code in listed:
        output, got = run(command, folder)
        if output and not output.endswith("\n"):
            output += "\n"
        assert got == code, f"{command}\nexit code {got}, not {code}\n{output}"
        assert re.fullmatch(pattern(expected), output), f"{command}\n{output}\nis not\n" + "\n".join(expected)
    return len(listed)
