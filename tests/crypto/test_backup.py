"""Shares of a key file: what restores it, what is refused and as what, and that nothing shows a word."""

import hmac
import itertools
import re
import secrets
import sys
import traceback
from base64 import b64decode
from contextlib import suppress
from dataclasses import replace

import pytest
from nacl import bindings
from shamir_mnemonic import combine_mnemonics

from wmproto.crypto import slip39
from wmproto.crypto.backup import combine, make_shares
from wmproto.crypto.secret import Secret, new_secret
from wmproto.crypto.sharefile import read_share
from wmproto.errors import ConfigError, FormatError, MissingExtraError, WmprotoError

SEED, MASTER = b"s" * 32, b"m" * 32
CONTEXTS = (b"c" * 32, b"d" * 32)
SECRET = Secret("owner", SEED, MASTER, CONTEXTS)


def counter():
    calls = iter(range(1, 256))
    return lambda n: bytes([next(calls)]) * n


@pytest.fixture(scope="module")
def shares():
    return make_shares(SECRET, 3, 5, random=counter())


def named(shares):
    return [(share.name, share) for share in shares]


def texts(shares):
    return [(share.name, read_share(share.to_text())) for share in shares]


@pytest.mark.parametrize("role", ["owner", "arbitrator", "respondent", "log", "witness"])
def test_any_k_restore_exactly_what_was_backed_up(role):
    secret = new_secret(role, secrets.token_bytes)
    if role == "owner":
        secret = secret.with_context(CONTEXTS[0]).with_context(CONTEXTS[1])
    made = texts(make_shares(secret, 2, 4, random=secrets.token_bytes))
    for k in (2, 3, 4):
        for some in itertools.permutations(made, k):
            assert combine(some) == secret


@pytest.mark.parametrize(("threshold", "count"), [(1, 1), (2, 2), (2, 16), (16, 16)])
def test_the_ends_of_what_is_allowed(threshold, count):
    made = texts(make_shares(SECRET, threshold, count, random=secrets.token_bytes))
    assert len(made) == count
    assert combine(made[-threshold:]) == SECRET


def test_a_full_key_file_fits_a_share():
    secret = Secret("owner", SEED, MASTER, tuple(n.to_bytes(32, "big") for n in range(4096)))
    assert combine(texts(make_shares(secret, 2, 2, random=secrets.token_bytes))) == secret


def test_the_page_says_how_to_restore_without_this_program(shares):
    """specs/secretfile.md, Backups, step by step and with nothing of wmproto."""
    fields = [dict(re.findall(r"(?ms)^(\w+):(.*?)(?=^\w+:|\Z)", s.to_text().decode().split("\n\n")[1])) for s in shares]
    key = combine_mnemonics([" ".join(f["words"].split()) for f in fields[2:]])
    assert key == bytes([1]) * 32  # the first that was drawn
    keys = hmac.digest(key, b"wmproto/share@v1", "sha512")
    assert keys[32:].hex() == fields[0]["check"].strip()
    nonce, box = (b64decode("".join(fields[0][name].split())) for name in ("nonce", "box"))
    plain = bindings.crypto_secretbox_open(box, nonce, keys[:32])
    assert plain == (
        b'{"count":5,"secret":{"contexts":["%s","%s"],"master":"%s","role":"owner","seed":"%s"},"threshold":3}'
        % tuple(part.hex().encode() for part in (*CONTEXTS, MASTER, SEED))
    )


def test_a_share_file_begins_with_a_line_for_people(shares):
    lines = shares[1].to_text().decode().splitlines()
    public = SECRET.signer().public.hex()[:16]
    assert lines[0] == f"Backup of the owner key {public}, share 2 of 5: any 3 of them restore it."
    assert max(map(len, lines)) <= 110
    assert shares[1].to_text().isascii()
    [alone] = make_shares(SECRET, 1, 1, random=counter())
    assert "share 1 of 1: it restores the key alone." in alone.to_text().decode()


def test_white_space_is_free(shares):
    text = shares[0].to_text().decode()
    for same in (
        text.replace("\n", "\r\n"),
        " ".join(text.split()),
        text.replace("\n", "\n\n  "),
        "\n" + text.rstrip(),
    ):
        assert read_share(same.encode()) == shares[0]


def test_every_changed_letter_is_refused(shares):
    data = shares[0].to_text()
    for at, letter in enumerate(data):
        if not bytes([letter]).isspace():
            changed = bytearray(data)
            changed[at] = ord("b") if letter != ord("b") else ord("c")
            with pytest.raises(FormatError):
                read_share(bytes(changed))


def test_every_cut_is_refused(shares):
    data = shares[0].to_text()
    for size in range(len(data) - 1):  # without the last line feed it is whole
        with pytest.raises(FormatError):
            read_share(data[:size])
    for more in (b"x", b"\x00", "é".encode(), data):
        with pytest.raises(FormatError):
            read_share(data + more)
    with pytest.raises(FormatError, match="at most"):
        read_share(data + b" " * (1 << 20))


def rewritten(share, words):
    return replace(share, words=tuple(words)).to_text()


def test_wrong_words_are_told_as_such(shares):
    """Also where the digest is mended: whoever types a share in may make it anew."""
    words = list(shares[0].words)
    cases = [
        (words[:-1], "33 words, not 32"),
        ([*words, words[0]], "33 words, not 34"),
        ([*words[:6], "abacus", *words[7:]], "word 7 is none of the SLIP-39 list"),
        ([*words[:6], "zero" if words[6] != "zero" else "yoga", *words[7:]], "a word is wrong: the checksum"),
        ([*words[:6], words[7], words[6], *words[8:]], "a word is wrong: the checksum"),
    ]
    for wrong, said in cases:
        with pytest.raises(FormatError, match=said):
            read_share(rewritten(shares[0], wrong))


def test_the_words_of_another_share_in_this_one_are_refused(shares):
    with pytest.raises(FormatError, match="damaged or edited"):
        read_share(rewritten(shares[0], shares[1].words))  # its number is 2
    from shamir_mnemonic import generate_mnemonics

    for groups, size in (([(3, 5)], 16), ([(3, 5), (2, 3)], 32)):
        other = generate_mnemonics(1, groups, bytes(size))[0][0].split()
        with pytest.raises(FormatError, match=r"33 words, not 20|share of something else"):
            read_share(rewritten(shares[0], other))


EDITS = {
    "public": {"public": b"p" * 32},
    "role": {"role": "log"},
    "contexts": {"contexts": 1},
    "count": {"count": 6},
    "nonce": {"nonce": bytes(24)},
    "check": {"check": bytes(32)},
    "box": {"box": b"b" * 200},
}


@pytest.mark.parametrize("change", EDITS.values(), ids=EDITS)
def test_edits_with_a_mended_digest_in_every_share(shares, change):
    edited = texts([replace(share, **change) for share in shares])
    with pytest.raises(FormatError, match="somebody has edited one"):
        combine(edited)


def test_the_threshold_stands_in_the_words(shares):
    with pytest.raises(FormatError, match="damaged or edited"):
        read_share(replace(shares[0], threshold=2).to_text())


def test_one_share_edited_is_of_another_backup(shares):
    with pytest.raises(ConfigError, match=r"share-02-of-05\.txt is a share of another backup than share-01"):
        combine(named([shares[0], replace(shares[1], contexts=9), shares[2]]))


def test_shares_of_two_backups(shares):
    other = make_shares(SECRET, 3, 5, random=secrets.token_bytes)
    with pytest.raises(ConfigError, match="another backup") as err:
        combine(named([*shares[:2], other[2]]))
    assert "backed up at another time" in err.value.hint
    log = make_shares(new_secret("log", secrets.token_bytes), 3, 5, random=secrets.token_bytes)
    with pytest.raises(ConfigError, match="another backup") as err:
        combine(named([*shares[:2], log[2]]))
    assert "of the owner key" in err.value.hint
    assert "of the log key" in err.value.hint


def test_words_of_another_backup_in_shares_of_this_one(shares):
    """Told by SLIP-39's own digest, or by the check value."""
    other = make_shares(SECRET, 3, 5, random=secrets.token_bytes)
    mixed = [replace(a, words=b.words) for a, b in zip(shares, other, strict=True)]
    for some in (mixed, [shares[0], *mixed[1:3]]):
        with pytest.raises(FormatError, match="do not all belong together"):
            combine(texts(some))


def test_too_few_and_twice(shares):
    with pytest.raises(ConfigError, match="1 more share is needed: it takes 3, and here are 2") as err:
        combine(named(shares[1:3]))
    assert err.value.hint == "any of the shares number 1, 4, 5"
    with pytest.raises(ConfigError, match="2 more shares are needed: it takes 3, and here is 1"):
        combine(named(shares[:1]))
    with pytest.raises(ConfigError, match="a and b are the same share, number 2"):
        combine([("a", shares[1]), ("b", shares[1]), ("c", shares[2])])


def test_fewer_than_k_words_and_a_guess_open_nothing(shares):
    """Any last share is as good as any other to who has k - 1: each leads to another key, which is not the box's."""
    from shamir_mnemonic import Share

    last = Share.from_mnemonic(" ".join(shares[2].words))
    for _ in range(20):
        guess = replace(shares[2], words=tuple(replace(last, value=secrets.token_bytes(32)).words()))
        with pytest.raises(FormatError, match="do not all belong together"):
            combine(texts([*shares[:2], guess]))


def guessed(share):
    """The share with another value: its checksum and its digest are right, and nothing in it tells."""
    from shamir_mnemonic import Share

    real = Share.from_mnemonic(" ".join(share.words))
    return replace(share, words=tuple(replace(real, value=secrets.token_bytes(32)).words()))


@pytest.mark.parametrize("threshold", [2, 3, 4])
@pytest.mark.parametrize("number", [1, 3, 5])
def test_one_odd_share_too_many_is_named_wherever_it_stands(threshold, number):
    made = make_shares(SECRET, threshold, 5, random=secrets.token_bytes)
    foreign = make_shares(SECRET, threshold, 5, random=secrets.token_bytes)[number - 1].words
    for odd in (guessed(made[number - 1]), replace(made[number - 1], words=foreign)):
        others = [share for share in made if share.number != number]
        for more in range(threshold, 5):
            for at in range(more + 1):
                given = [*others[:at], odd, *others[at:more]]
                with pytest.raises(FormatError, match=f"^share number {number} does not fit the others: ") as err:
                    combine(texts(given))
                assert "leave it out" in err.value.hint
        assert combine(texts(others)) == SECRET


def test_several_odd_shares_are_named_where_that_can_be_told(shares):
    """Never does one that fits get the blame, and never is the key given out as if all had been used."""
    named_odd = 0
    for two in itertools.combinations(range(5), 2):
        given = texts([guessed(share) if at in two else share for at, share in enumerate(shares)])
        numbers = ", ".join(str(at + 1) for at in two)
        with pytest.raises(FormatError) as err:
            combine(given)
        said = str(err.value)
        if "all belong" not in said:
            assert said.startswith(f"shares number {numbers} do not fit the others: ")
            named_odd += 1
    assert named_odd == 5  # those beside each other in the circle
    with pytest.raises(FormatError, match=r"^these shares do not all belong together: somebody has edited one$"):
        combine(texts([guessed(share) for share in shares]))


@pytest.mark.parametrize(
    ("threshold", "count", "said"),
    [
        (3, 2, "3 of 2 shares can never come together"),
        (1, 2, "SLIP-39 forbids"),
        (0, 2, "a threshold cannot be 0"),
        (2, 17, "cannot have 17 shares"),
        (0, 0, "cannot have 0 shares"),
        (-1, 5, "a threshold cannot be -1"),
    ],
)
def test_what_cannot_be_split(threshold, count, said):
    with pytest.raises(ConfigError, match=said) as err:
        make_shares(SECRET, threshold, count, random=counter())
    assert err.value.hint


def test_without_the_extra(shares, monkeypatch):
    monkeypatch.setattr(slip39, "find_spec", lambda _: None)
    for call in (lambda: make_shares(SECRET, 2, 2, random=counter()), lambda: read_share(shares[0].to_text())):
        with pytest.raises(MissingExtraError, match="backup"):
            call()


def leaks(text, shares):
    threes = [" ".join(s.words[i : i + 3]) for s in shares for i in range(4, 31)]
    threes += ["', '".join(s.words[i : i + 3]) for s in shares for i in range(4, 31)]
    hidden = [SEED.decode(), MASTER.decode(), SEED.hex(), MASTER.hex(), repr(bytes([1]) * 32), *threes]
    return [h for h in hidden if h in text]


def test_nothing_shows_a_word(shares):
    assert repr(shares[0]) == "Share(1 of 5)"
    assert re.fullmatch("<[0-9]+ secret bytes>", repr(shares[0].to_text()))
    text = "\n".join(map(repr, (shares, named(shares), shares[0].verified_words, shares[0].to_text())))
    assert leaks(text, shares) == []


def test_no_way_to_print_shows_a_word(shares):
    from wmproto.crypto.backup import _Backup
    from wmproto.crypto.secret import Content

    text, words = shares[0].to_text(), shares[0].words
    printed = [f"{text}", str(text), repr(text), "%s" % text, "{}".format(text), repr(words), f"{words}"]  # noqa: UP031, UP032
    content = Content.of(SECRET)
    backup = _Backup(count=5, secret=content, threshold=3)
    for model in (content, backup):  # what pydantic itself, and rich, would show
        printed += [repr(list(model.__repr_args__())), str(model), f"{model}"]
    assert leaks("\n".join(printed), shares) == []
    assert not [word for word in words for one in printed[:7] if word in one.replace("secret", "")]


#: Code that knows nothing of secrets: one is in its variables on its way into a hash, or out of a box.
BLIND = ("wire/framing.py", "wire/canonical.py", "wire/schema.py", "wire/hidden.py")


class Variables:
    """A trace that keeps what a traceback would show of wmproto's variables, at every line."""

    def __init__(self):
        self.seen, self.lines = set(), 0

    def __call__(self, frame, event, _arg):
        name = frame.f_code.co_filename
        if "/wmproto/" not in name or "/tests/" in name or name.endswith(BLIND):
            return None
        self.lines += 1
        for value in list(frame.f_locals.values()):
            with suppress(AttributeError):  # a repr of what is only half made
                self.seen.add(repr(value))
        return self

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)


def test_at_no_line_a_variable_shows_a_word_or_a_key():
    with Variables() as seen:
        made = make_shares(SECRET, 2, 3, random=counter())
        data = [share.to_text() for share in made]
        found = [(f"share {n}", read_share(text)) for n, text in enumerate(data)]
        assert combine(found) == SECRET
    assert seen.lines > 300
    box_key = hmac.digest(bytes([1]) * 32, b"wmproto/share@v1", "sha512")[:32]
    text = "\n".join(seen.seen)
    assert leaks(text, made) == []
    for secret in (bytes([1]) * 32, box_key, SEED, MASTER):
        assert not [form for form in (repr(secret)[2:-1], secret.hex()) if form in text]
    assert not {repr(word) for share in made for word in map(str.__str__, share.words[4:31])} & seen.seen


def test_no_traceback_shows_a_word_or_a_key(shares):
    words = list(shares[0].words)
    bad = rewritten(shares[0], [*words[:20], words[21], words[20], *words[22:]])
    edited = texts([replace(share, check=bytes(32)) for share in shares])
    other = make_shares(SECRET, 3, 5, random=secrets.token_bytes)
    mixed = texts([replace(a, words=b.words) if a.number == 1 else a for a, b in zip(shares, other, strict=True)])
    for call in (lambda: read_share(bad), lambda: combine(edited), lambda: combine(mixed), lambda: combine(edited[:2])):
        with pytest.raises(WmprotoError) as caught:
            call()
        err = caught.value
        whole = traceback.TracebackException(type(err), err, err.__traceback__.tb_next, capture_locals=True)
        text = "".join(whole.format())
        assert err.__context__ is None
        assert "wmproto/crypto" in text
        assert leaks(text, [*shares, *other]) == []
