"""``wmproto witness``: making one, and every wrong option of running one, told before it listens."""

import pytest
from running import make_witness, policy_text
from town import check_error, run, snapshot
from witness_samples import LOG_KEY, ORIGIN, OTHER_LOG

from wmproto.registry import service
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.heads import Heads
from wmproto.registry.note import LogKey

NEW = ("witness", "new", "w.state", "--name", "w.test/1", "--key", "w.key", "--passphrase-file", "pass.txt")


def run_it(home, state="w.state", **changed):
    options = {"key": "w.key", "policy": "policy", "listen": "127.0.0.1:0", "passphrase_file": "pass.txt"} | changed
    flat = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
    return run("witness", "run", state, *flat, cwd=home)


@pytest.fixture
def home(tmp_path):
    (tmp_path / "pass.txt").write_text("one of three\n")
    (tmp_path / "policy").write_bytes(policy_text([LOG_KEY], {}, "none"))
    return tmp_path


def test_a_new_witness_has_a_key_and_a_state_and_says_its_vkey(home):
    result = run(*NEW, cwd=home)
    assert (result.code, result.err) == (0, "")
    key = WitnessKey.parse(result.out.removesuffix("\n"))
    assert key.name == "w.test/1"
    assert Heads.open(home / "w.state").key == key
    assert (home / "w.key").stat().st_mode & 0o777 == 0o600
    assert run("key", "show", "w.key", cwd=home).out == f"witness {key.public.hex()}\n"


def test_json_says_the_same(home):
    said = run(*NEW, "--json", cwd=home).json()
    assert said == {"state": "w.state", "vkey": str(Heads.open(home / "w.state").key)}


@pytest.mark.parametrize("name", ["", "two words", "a+b", "x" * 257, "a\x1bb"])
def test_a_name_that_no_note_can_bear(home, name):
    before = snapshot(home)
    check_error(run(*NEW[:4], name, *NEW[5:], cwd=home), 2, "^wmproto: error: --name: ")
    assert snapshot(home) == before


@pytest.mark.parametrize("taken", ["w.state", "w.key"])
def test_nothing_is_overwritten_and_nothing_half_made(home, taken):
    (home / taken).write_text("mine")
    before = snapshot(home)
    check_error(run(*NEW, cwd=home), 2, f"{taken} exists already")
    assert snapshot(home) == before


def test_a_key_without_a_state_is_not_left_behind(home, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Heads, "create", fail)
    assert run(*NEW, cwd=home).code == 130
    assert not (home / "w.key").exists()


@pytest.fixture
def made(home):
    make_witness(home, "w")
    (home / "none").write_bytes(policy_text([], {}, "none"))
    (home / "broken").write_bytes(b"log what\nquorum none\n")
    (home / "other").write_bytes(policy_text([LogKey(ORIGIN, OTHER_LOG.public)], {}, "none"))
    (home / "wrong.txt").write_text("two of three\n")
    assert run("key", "new", "o.key", "--role", "owner", "--passphrase-file", "pass.txt", cwd=home).code == 0
    return home


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"state": "typo"}, 5, "there is no witness's state at typo"),
        ({"state": "policy"}, 5, "the witness's state policy"),
        ({"key": "typo"}, 2, "there is no witness key"),
        ({"key": "o.key"}, 2, "o.key is a key of role owner, not witness"),
        ({"passphrase_file": "wrong.txt"}, 2, "w.key: wrong passphrase"),
        ({"policy": "typo"}, 2, "there is no log policy"),
        ({"policy": "none"}, 2, "names no log to follow"),
        ({"policy": "broken"}, 3, "log policy, line 1"),
        ({"listen": "8080"}, 2, "no address to listen on"),
        ({"listen": "127.0.0.1:99999"}, 2, "no address to listen on"),
        ({"listen": "127.0.0.1:+80"}, 2, "no address to listen on"),
        ({"listen": "192.0.2.1:0"}, 2, "cannot listen on 192.0.2.1:0"),
    ],
)
def test_what_is_wrong_is_told_kindly(made, changed, code, words):
    check_error(run_it(made, **changed), code, words)


def test_another_key_for_a_known_origin_and_another_witnesss_key(made):
    heads = Heads.open(made / "w.state")
    heads.follow([LOG_KEY])
    heads.close()
    check_error(run_it(made, policy="other"), 2, f"this witness follows {ORIGIN} under another key")
    make_witness(made, "v")
    check_error(run_it(made, key="v.key"), 2, "this is not the key of the witness w.test")


def test_an_address_that_is_taken(made):
    listener, url = service._listener("127.0.0.1:0")
    with listener:
        check_error(run_it(made, listen=url.removeprefix("http://")), 2, "cannot listen on .*: address already in use")


def test_without_the_extra_it_says_what_to_install(made, monkeypatch):
    monkeypatch.setattr(service, "find_spec", lambda _name: None)
    result = run_it(made)
    check_error(result, 2, "this needs the extra 'service'")
    assert "pip install 'wmproto[service]'" in result.err
