"""Every command explains itself: on one screen, in whole sentences, and what it says is true."""

import re
from pathlib import Path

import click
import pytest
from town import run

from wmproto.cli.main import cli
from wmproto.dispute.outcome import EXIT_CODES

README = Path(__file__).parents[2] / "README.md"
EXPECTED = {
    "key": ["new", "show", "activate", "passwd", "backup", "restore"],
    "commit": ["create", "inspect"],
    "registry": ["new", "submit", "prove", "export", "serve-static", "monitor", "check-fork", "fsck"],
    "witness": ["new", "run"],
    "policy": ["check"],
    "release": ["record", "verify"],
    "mark": ["train", "check"],
    "dispute": ["run", "audit", "show", "replay", "report"],
    "status": None,
    "verdict": ["plan"],
    "game": ["run", "resume", "status"],
    "report": ["build"],
    "demo": None,
}


def commands():
    """(path, command) of every command and group."""
    context = click.Context(cli, info_name="wmproto")

    def walk(path, command):
        yield path, command
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                yield from walk((*path, name), command.get_command(context, name))

    return list(walk((), cli))


SEALS = (("key", "new"), ("key", "restore"))  # they ask for the passphrase of a file that is not there yet
ALL = [pytest.param(path, command, id=" ".join(path) or "wmproto") for path, command in commands()]
LEAVES = [p for p in ALL if not isinstance(p.values[1], click.Group)]


def help_of(path, tmp_path):
    result = run(*path, "--help", cwd=tmp_path)
    assert (result.code, result.err) == (0, "")
    return result.out


def test_the_commands_that_must_be_there_are_there_in_the_order_of_their_use():
    context = click.Context(cli)
    assert cli.list_commands(context) == list(EXPECTED)
    for group, names in EXPECTED.items():
        found = cli.get_command(context, group)
        assert (found.list_commands(context) if names is not None else None) == names


@pytest.mark.parametrize(("path", "command"), ALL)
def test_help_is_one_screen_of_whole_sentences(path, command, tmp_path):
    text = help_of(path, tmp_path)
    lines = text.splitlines()
    assert len(lines) <= 44
    assert max(map(len, lines)) <= 80
    assert "..." not in text.replace("[ARGS]...", ""), "a sentence was cut off"
    assert text == run(*path, "-h", cwd=tmp_path).out
    assert (command.help or "").strip().endswith("."), "a description ends in a full stop"
    for name in path[:-1]:
        assert name in text


@pytest.mark.parametrize(("path", "command"), LEAVES)
def test_every_option_is_explained_and_no_secret_is_an_option(path, command, tmp_path):
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name
            assert option.help[0].isupper() or option.help.startswith(("public", "0 or")), option.help
            assert option.help.rstrip().endswith((".", ")")), option.help
    opens = {"key_path", "log_key", "arbitrator_path"} & {p.name for p in command.params}
    assert ("--passphrase-file" in help_of(path, tmp_path)) == (bool(opens) or path in SEALS)
    assert not re.search(r"--(passphrase|password|secret)\b(?!-file)", help_of(path, tmp_path))


def test_a_group_shows_each_command_as_the_command_shows_itself(tmp_path):
    text = help_of((), tmp_path)
    for name in EXPECTED:
        own = help_of((name,), tmp_path).splitlines()[2].strip()
        [line] = [row for row in text.splitlines() if row.startswith(f"  {name} ")]
        if name != "demo":
            assert line.split(None, 1)[1] == own


def test_a_group_alone_shows_its_help_and_fails(tmp_path):
    for path in ((), ("key",), ("dispute",)):
        result = run(*path, cwd=tmp_path)
        assert (result.code, result.out) == (2, "")
        assert result.err == help_of(path, tmp_path)


def test_the_exit_codes_that_help_names_are_those_that_exist(tmp_path):
    from wmproto import errors
    from wmproto.cli.dispute_audit import TRUST_ASSUMED

    text = " ".join(help_of((), tmp_path).split())
    named = {int(code): words for code, words in re.findall(r"(\d+) ([a-z][^,.:]*)", text.split("Exit codes:")[1])}
    found = {e.exit_code for e in vars(errors).values() if isinstance(e, type) and hasattr(e, "exit_code")}
    assert set(named) == found | set(EXIT_CODES.values()) | {TRUST_ASSUMED}


def test_readme_calls_commands_as_they_are():
    """Each command line of README parses; nothing is run."""
    console = "\n".join(re.findall(r"```console\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL))
    lines = re.findall(r"^\$ (wmproto .*)$", console.replace("\\\n", ""), re.MULTILINE)
    assert len(lines) >= 10
    for line in lines:
        import shlex

        args = shlex.split(line, comments=True)[1:]
        context, command = click.Context(cli), cli
        while isinstance(command, click.Group):
            command = command.get_command(context, args.pop(0))
            assert command is not None, line
        command.make_context("wmproto", args)  # raises UsageError
