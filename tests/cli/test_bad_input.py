"""Bad input gets one clear line, a hint and the right exit code, and nothing is lost, changed or half written."""

import json
import pickle
import shutil
import sqlite3

import numpy as np
import pytest
from town import CLASSES, PASS, check_error, dispute, pictures, run, snapshot, untrained

LOG = ("--registry", "registry.db", "--log-key", "log.key")
COMMIT = ("commit", "create", "new", "--key", "owner.key", *PASS)
TWO = ("--classes", "cat,dog")
ACTIVATE = ("key", "activate", "fresh", "--key", "owner.key", *PASS)
SUBMIT = ("registry", "submit", "registry.db", "fresh/statement.json", "--key", "log.key", *PASS)
RECORD = ("release", "record", "mykey", "--key", "owner.key", *LOG, "--receipt", "new.proof", *PASS)
TRAIN = ("mark", "train", "mykey", "--key", "owner.key", "--out", "new.safetensors", *PASS)
CHECK = ("mark", "check", "mykey", "--key", "owner.key", *PASS)
AUDIT = ("dispute", "audit", "first.json")


def edit(home, name, old, new):
    """Change a file's bytes at one place."""
    data = (home / name).read_bytes()
    assert data.count(old) >= 1
    (home / name).write_bytes(data.replace(old, new, 1))


def cut(home, name, share=0.6):
    """Cut a file short."""
    data = (home / name).read_bytes()
    (home / name).write_bytes(data[: int(len(data) * share)])


def second_log(home, vkey=None):
    """Another log, other.db, with the key ``fresh`` in it; returns its verifier key."""
    new = ("registry", "new", "other.db", "--origin", "other.example/1", "--key", "other-log.key", *PASS)
    vkey = run(*new, cwd=home).out.strip()
    submit = ("registry", "submit", "other.db", "fresh/statement.json", "--key", "other-log.key", *PASS)
    assert run(*submit, "--receipt", "other.proof", cwd=home).code == 0
    assert run("registry", "export", "other.db", "other-copy.jsonl", cwd=home).code == 0
    return vkey


def second_owner(home):
    run("key", "new", "owner2.key", "--role", "owner", *PASS, cwd=home)


# --- each case: (name, what is done to the folder first, the command, exit code, words of the error, is there a hint)

CASES = []


def case(name, args, code, words, *, prepare=None, hint=True):
    CASES.append(pytest.param(prepare, args, code, words, hint, id=name.replace(" ", "-")))


def write(name, data):
    return lambda home: (home / name).write_bytes(data)


def both(*steps):
    return lambda home: [step(home) for step in steps]


# the command line itself
case("no such command", ("kye",), 2, "no such command 'kye'")
case("no such option", ("key", "show", "owner.key", "--jsn"), 2, "no such option.*--jsn")
case("too many arguments", ("key", "show", "owner.key", "more"), 2, "unexpected extra argument")
case("missing argument", ("registry", "prove", "registry.db"), 2, "missing argument 'INDEX'")

# key new
NEW = ("key", "new", "new.key", "--role", "owner")
case("no role", ("key", "new", "new.key", *PASS), 2, "missing option '--role'.*owner, arbitrator, respondent")
case("unknown role", ("key", "new", "new.key", "--role", "king", *PASS), 2, "'king' is not one of")
case("log is no role of key new", ("key", "new", "new.key", "--role", "log", *PASS), 2, "'log' is not one of")
case("key file exists", ("key", "new", "owner.key", "--role", "owner", *PASS), 2, "owner.key exists already")
case("folder in the way", ("key", "new", "own", "--role", "owner", *PASS), 2, "own exists already")
case("no such folder", ("key", "new", "no/new.key", "--role", "owner", *PASS), 2, "no is no folder")
case("file as a folder", ("key", "new", "pass.txt/new.key", "--role", "owner", *PASS), 2, "pass.txt is no folder")
case("no terminal", NEW, 2, "no terminal to ask for a passphrase")
case("no passphrase file", (*NEW, "--passphrase-file", "no.txt"), 2, "no passphrase file at 'no.txt'")
case("folder as a passphrase file", (*NEW, "--passphrase-file", "own"), 2, "cannot read the passphrase file 'own'")
EMPTY = write("e.txt", b"")
case("empty passphrase file", (*NEW, "--passphrase-file", "e.txt"), 2, "e.txt has an empty first line", prepare=EMPTY)
BLANK = write("e.txt", b"\nsecond line\n")
case("empty first line", (*NEW, "--passphrase-file", "e.txt"), 2, "e.txt has an empty first line", prepare=BLANK)
LATIN = write("e.txt", "schlüssel".encode("latin-1"))
case("unreadable UTF-8", (*NEW, "--passphrase-file", "e.txt"), 2, "e.txt is not UTF-8", prepare=LATIN)
LONG = write("e.txt", b"x" * (1 << 20))
case("a film as a passphrase", (*NEW, "--passphrase-file", "e.txt"), 3, "65536 bytes", prepare=LONG, hint=False)
case("a name of two lines", ("key", "show", "two\nlines"), 2, r"no key file at 'two\\nlines'")

# key show
case("show nothing", ("key", "show", "no.key"), 2, "there is no key file at 'no.key'")
case("show a model", ("key", "show", "marked.safetensors"), 3, "secret file: ")
case("show an empty file", ("key", "show", "e.key"), 3, "secret file: not JSON", prepare=write("e.key", b""))
case("show other JSON", ("key", "show", "trust.json"), 3, "secret file: ")
case(
    "key file cut short",
    ("key", "show", "owner.key"),
    3,
    "secret file: not JSON",
    prepare=lambda h: cut(h, "owner.key"),
)
EDITED = lambda h: edit(h, "owner.key", b'"role":"owner"', b'"role":"log"')  # noqa: E731
case("key file edited", ("key", "show", "owner.key"), 3, "damaged, its digest does not match", prepare=EDITED)
case("show a folder without a key", ("key", "show", "own"), 2, "own is no whole key folder: there is no statement.json")
UNSIGNED = lambda h: edit(h, "fresh/statement.json", b'"sig":"', b'"sig":"AAAA')  # noqa: E731
case(
    "show a malformed statement",
    ("key", "show", "fresh"),
    3,
    "fresh/statement.json: signatures",
    prepare=UNSIGNED,
    hint=False,
)


def forged(home, name="fresh/statement.json"):
    """Another S in the signature: well formed, but false."""
    envelope = json.loads((home / name).read_bytes())
    sig = envelope["signatures"][0]["sig"]
    (home / name).write_bytes((home / name).read_bytes().replace(sig.encode(), (sig[:60] + "AAAA" + sig[64:]).encode()))


case(
    "show a forged statement", ("key", "show", "fresh"), 1, "the signature does not verify", prepare=forged, hint=False
)

# key activate
TO = ("--receipt", "mykey.tlog-proof", "--log", "VKEY")
AGAIN = ("key", "activate", "mykey", "--key", "owner.key", *TO, *PASS)
case("activated twice", AGAIN, 4, "mykey was activated before")
case("activated twice without a passphrase", AGAIN[:-2], 4, "mykey was activated before")
WRONG = ("--passphrase-file", "wrong.txt")
case("receipt of another entry", (*ACTIVATE, "--receipt", "mykey.tlog-proof", "--log", "VKEY"), 1, "", hint=False)
case("receipt is no receipt", (*ACTIVATE, "--receipt", "trust.json", "--log", "VKEY"), 3, "receipt: ", hint=False)
case("no receipt", (*ACTIVATE, "--receipt", "no.proof", "--log", "VKEY"), 2, "there is no receipt at 'no.proof'")
case("no log key", (*ACTIVATE, "--receipt", "mykey.tlog-proof", "--log", "log.example"), 2, "--log: verifier key")
case("log key cut short", (*ACTIVATE, "--receipt", "mykey.tlog-proof", "--log", "a/1+0123abcd+QUJD"), 2, "--log: ")
case("log key of no base64", (*ACTIVATE, "--receipt", "mykey.tlog-proof", "--log", "a+b+c d"), 2, "--log: not base64")
case(
    "activate no key folder",
    ("key", "activate", "own", "--key", "owner.key", *TO, *PASS),
    2,
    "own is no whole key folder",
)
case("activate nothing", ("key", "activate", "no", "--key", "owner.key", *TO, *PASS), 2, "no is no whole key folder")


def submitted(home):
    assert run(*SUBMIT, "--receipt", "fresh.proof", cwd=home).code == 0


LOGGED = ("--receipt", "fresh.proof", "--log", "VKEY")
FRESH = ("key", "activate", "fresh", *LOGGED)
case("wrong passphrase", (*FRESH, "--key", "owner.key", *WRONG), 2, "owner.key: wrong passphrase", prepare=submitted)
case(
    "key of another role",
    (*FRESH, "--key", "arbitrator.key", *PASS),
    2,
    "key of role arbitrator, not owner",
    prepare=submitted,
)
case("no key file", (*FRESH, "--key", "no.key", *PASS), 2, "there is no owner key at 'no.key'", prepare=submitted)
OTHER_OWNER = both(submitted, second_owner)
case("another owner", (*FRESH, "--key", "owner2.key", *PASS), 2, "belongs to another owner", prepare=OTHER_OWNER)


def repainted(home):
    with np.load(home / "fresh" / "pictures.npz") as arrays:
        x = arrays["x"]
    x[3, 0, 0, 0] ^= 1
    np.savez(home / "fresh" / "pictures.npz", x=x)


case("pictures changed", (*FRESH, "--key", "owner.key", *PASS), 2, "another root", prepare=both(submitted, repainted))
LOST = both(submitted, lambda h: (h / "fresh/pictures.npz").unlink())
case("pictures lost", (*FRESH, "--key", "owner.key", *PASS), 2, "pictures.npz", prepare=LOST)
LOST = both(submitted, lambda h: (h / "fresh/recipe.json").unlink())
case("recipe lost", (*FRESH, "--key", "owner.key", *PASS), 2, "there is no recipe.json", prepare=LOST)
OTHER_LOG = (*ACTIVATE, "--receipt", "other.proof", "--log", "VKEY")
case("receipt of another log", OTHER_LOG, 1, "not signed by log.example/1", prepare=second_log, hint=False)

# commit create
NOISE = ("--shape", "4x4x1")
case(
    "key folder exists",
    ("commit", "create", "mykey", *COMMIT[3:], *TWO, *NOISE, "--leaves", 16),
    2,
    "mykey exists already",
)
for number in (0, 8, 17, -16, 2064, 65552, 10**9):
    case(f"{number} leaves", (*COMMIT, *TWO, *NOISE, "--leaves", number), 2, f"a key cannot have {number} leaves")
case("many leaves", (*COMMIT, *TWO, *NOISE, "--leaves", "many"), 2, "'many' is not a valid integer")
for name, text, words in (
    ("one class", "cat", "cannot have 1 class$"),
    ("two classes of one name", "cat,dog,cat", "two classes have the name 'cat'"),
    ("a class without a name", "cat,,dog", "class 1 has the name ''"),
    ("a class with a long name", "cat," + "d" * 129, "class 1 has the name"),
    ("a class with a control character", "cat,d\x1bog", r"class 1 has the name 'd\\x1bog'"),
    ("5000 classes", ",".join(map(str, range(5000))), "cannot have 5000 classes"),
    ("long names together", ",".join(f"{i:09}" for i in range(4000)), "too long together"),
):
    case(name, (*COMMIT, "--classes", text, *NOISE, "--leaves", 16), 2, words)
for text in ("28x28", "0x1x1", "4x4x-1", "4×4×1", "4.0x4x1", "four", "4x4x1x1"):
    case(f"shape {text}", (*COMMIT, *TWO, "--shape", text, "--leaves", 16), 2, "is not a shape")
case("huge pictures", (*COMMIT, *TWO, "--shape", "99999x99999x9999", "--leaves", 16), 2, "more than 262144 bytes")
case("neither shape nor pictures", (*COMMIT, *TWO, "--leaves", 16), 2, "keyed noise needs a shape")
OWN = ("--pictures", "own")
case("N against the pictures", (*COMMIT, *TWO, *OWN, "--leaves", 32), 2, "16 pictures for 32 leaves")
FEWER = lambda h: (h / "own/03.png").unlink()  # noqa: E731
case("15 pictures", (*COMMIT, *TWO, *OWN, "--leaves", 16), 2, "15 pictures for 16 leaves", prepare=FEWER)
case("shape against the pictures", (*COMMIT, *TWO, *OWN, "--shape", "28x28x1", "--leaves", 16), 2, "not 28x28x1")
SAME = lambda h: shutil.copy(h / "own/01.png", h / "own/02.png")  # noqa: E731
case("the same picture twice", (*COMMIT, *TWO, *OWN, "--leaves", 16), 2, "same picture twice", prepare=SAME)
case("no pictures", (*COMMIT, *TWO, "--pictures", "no", "--leaves", 16), 2, "there are no pictures at no")
case(
    "an empty folder",
    (*COMMIT, *TWO, "--pictures", "e", "--leaves", 16),
    2,
    "no picture in",
    prepare=lambda h: (h / "e").mkdir(),
    hint=False,
)
case(
    "text among the pictures",
    (*COMMIT, *TWO, *OWN, "--leaves", 16),
    3,
    "'a.txt' is not a PNG",
    prepare=write("own/a.txt", b"hello"),
)
case(
    "a picture cut short",
    (*COMMIT, *TWO, *OWN, "--leaves", 16),
    3,
    "'03.png' is damaged",
    prepare=lambda h: cut(h, "own/03.png"),
)
case(
    "a folder among the pictures",
    (*COMMIT, *TWO, *OWN, "--leaves", 16),
    2,
    "cannot read the picture",
    prepare=lambda h: (h / "own/x").mkdir(),
)
case(
    "pictures with labels",
    (*COMMIT, *TWO, "--pictures", "data.npz", "--leaves", 128),
    3,
    "one array 'x' and nothing else",
)
case(
    "a model as pictures",
    (*COMMIT, *TWO, "--pictures", "marked.safetensors", "--leaves", 16),
    2,
    "neither a folder nor an .npz",
)


def odd_one_out(home):
    from PIL import Image

    Image.new("L", (11, 12)).save(home / "own" / "03.png")


case(
    "wrong picture size",
    (*COMMIT, *TWO, *OWN, "--leaves", 16),
    2,
    "'03.png' is 12x11x1, not 12x12x1",
    prepare=odd_one_out,
)
MORE = (*TWO, *NOISE, "--leaves", 16)
case(
    "commit with an arbitrator's key",
    ("commit", "create", "new", "--key", "arbitrator.key", *MORE, *PASS),
    2,
    "role arbitrator, not owner",
)
case(
    "commit with a wrong passphrase",
    ("commit", "create", "new", "--key", "owner.key", *MORE, *WRONG),
    2,
    "owner.key: wrong passphrase",
)
case("commit without a key", ("commit", "create", "new", "--key", "no.key", *MORE, *PASS), 2, "there is no owner key")
case(
    "commit with a cut key",
    ("commit", "create", "new", "--key", "owner.key", *MORE, *PASS),
    3,
    "owner.key: secret file",
    prepare=lambda h: cut(h, "owner.key"),
)
case(
    "commit with an edited key",
    ("commit", "create", "new", "--key", "owner.key", *MORE, *PASS),
    3,
    "damaged",
    prepare=EDITED,
)

# registry
START = ("registry", "new", "new.db", "--key", "new.key", *PASS)
ORIGIN = ("--origin", "new.example/1")
case(
    "log exists",
    ("registry", "new", "registry.db", "--key", "new.key", *ORIGIN, *PASS),
    2,
    "registry.db exists already",
)
case("log key exists", ("registry", "new", "new.db", "--key", "log.key", *ORIGIN, *PASS), 2, "log.key exists already")
case("log and key are one file", ("registry", "new", "new.db", "--key", "new.db", *ORIGIN, *PASS), 2, "given twice")
for origin in ("", "two words", "a+b", "line\nbreak", "x" * 300):
    case(f"origin {origin[:12]!r}", (*START, "--origin", origin), 2, "--origin: ")
case("log in no folder", ("registry", "new", "no/new.db", "--key", "new.key", *ORIGIN, *PASS), 2, "no is no folder")
TO_NEW = ("--receipt", "new.proof")
MISSING = ("registry", "submit", "no.db", "fresh/statement.json", "--key", "log.key", *TO_NEW, *PASS)
case("a typo starts no log", MISSING, 5, "there is no log at no.db")
case("a typo is told before the passphrase", MISSING[:-2], 5, "there is no log at no.db")
for name, data in (("text", b"hello\n"), ("nothing", b""), ("a model", b"\x08" * 4096)):
    case(
        f"log is {name}",
        ("registry", "prove", "e.db", 0),
        5,
        "e.db is no database of wmproto",
        prepare=write("e.db", data),
    )
    case(
        f"log to append is {name}",
        ("registry", "submit", "e.db", *MISSING[3:]),
        5,
        "e.db is no database of wmproto",
        prepare=write("e.db", data),
    )


def foreign_database(home):
    db = sqlite3.connect(home / "e.db")
    db.execute("CREATE TABLE t (x)")
    db.close()


case(
    "log is another database",
    ("registry", "prove", "e.db", 0),
    5,
    "is no database of wmproto",
    prepare=foreign_database,
)
case("log is a folder", ("registry", "prove", "own", 0), 5, "own")
case("prove in no log", ("registry", "prove", "no.db", 0), 5, "there is no log at no.db")
case("prove no entry", ("registry", "prove", "registry.db", 99), 5, "registry.db has no entry 99")
case("prove a negative entry", ("registry", "prove", "registry.db", "--", -1), 2, "'INDEX': -1")
case("prove a word", ("registry", "prove", "registry.db", "first"), 2, "'first' is not a valid integer")
case("receipt exists", (*SUBMIT, "--receipt", "mykey.tlog-proof"), 2, "mykey.tlog-proof exists already")
case("receipt in no folder", (*SUBMIT, "--receipt", "no/new.proof"), 2, "no is no folder")
case(
    "no statement",
    ("registry", "submit", "registry.db", "no.json", "--key", "log.key", *TO_NEW, *PASS),
    2,
    "no statement at 'no.json'",
)
LIKE = ("--key", "log.key", *TO_NEW, *PASS)
case(
    "statement is not signed",
    ("registry", "submit", "registry.db", "u.json", *LIKE),
    3,
    "u.json: ",
    prepare=lambda h: (h / "u.json").write_bytes(
        __import__("base64").b64decode(json.loads((h / "fresh/statement.json").read_bytes())["payload"])
    ),
)
case("statement is a trust file", ("registry", "submit", "registry.db", "trust.json", *LIKE), 3, "trust.json: ")
case(
    "statement is a model",
    ("registry", "submit", "registry.db", "marked.safetensors", *LIKE),
    3,
    "marked.safetensors: not JSON",
)
case("statement is forged", (*SUBMIT, *TO_NEW), 1, "the signature does not verify", prepare=forged, hint=False)


def loose_message(home):
    steps = json.loads((home / "first.json").read_bytes())["steps"]
    (home / "m.json").write_bytes(json.dumps(steps[2]["message"], sort_keys=True, separators=(",", ":")).encode())


case(
    "statement is a message of a dispute",
    ("registry", "submit", "registry.db", "m.json", *LIKE),
    3,
    "key statement: ",
    prepare=loose_message,
    hint=False,
)
NOT_ITS = ("registry", "submit", "registry.db", "fresh/statement.json", "--key", "other-log.key", *TO_NEW, *PASS)
case("a log key that is not the log's", NOT_ITS, 2, "not the key of the log log.example/1", prepare=second_log)
case(
    "owner key as log key",
    ("registry", "submit", "registry.db", "fresh/statement.json", "--key", "owner.key", *TO_NEW, *PASS),
    2,
    "role owner, not log",
)
case("submit with a wrong passphrase", (*SUBMIT[:-2], *TO_NEW, *WRONG), 2, "log.key: wrong passphrase")
case("export over the log", ("registry", "export", "registry.db", "registry.db"), 2, "is no copy of this log")
case("export over a key", ("registry", "export", "registry.db", "owner.key"), 2, "is no copy of this log")
case("export over a folder", ("registry", "export", "registry.db", "own"), 2, "own exists already")
case(
    "export over another log's copy",
    ("registry", "export", "registry.db", "other-copy.jsonl"),
    2,
    "is no copy of this log",
    prepare=second_log,
)
case("export no log", ("registry", "export", "no.db", "new.jsonl"), 5, "there is no log at no.db")
case("export into no folder", ("registry", "export", "registry.db", "no/new.jsonl"), 2, "no is no folder")

# models
OTHER_CLASSES = lambda h: untrained(h / "m.safetensors", classes=10)  # noqa: E731
OTHER_SIZE = lambda h: untrained(h / "m.safetensors", shape=(8, 8, 1))  # noqa: E731
PICKLE = write("m.safetensors", pickle.dumps({"weight": [1.0]}))
HALF = write(
    "m.safetensors", (59).to_bytes(8, "little") + b'{"__metadata__":{"wmproto.architecture":"{}","a":"\\ud800"}}'
)
HUGE = write("m.safetensors", (5_000_000).to_bytes(8, "little") + b"[" * 5_000_000)
BARE = both(lambda h: (h / "m.safetensors").write_bytes(bare_weights()))


def bare_weights():
    from safetensors.numpy import save

    return save({"w": np.zeros(3, np.float32)})


def other_tensor(home):
    """The file of another architecture's weights, with this one's description."""
    untrained(home / "m.safetensors")
    data = (home / "m.safetensors").read_bytes()
    (home / "m.safetensors").write_bytes(data.replace(b'"1.weight"', b'"1.wEight"'))


FILES = (
    ("class count differs", OTHER_CLASSES, 2, "the model has 10 classes, the key 100"),
    ("picture size differs", OTHER_SIZE, 2, "takes pictures of 8x8x1, the key's are 12x12x1"),
    ("not safetensors", write("m.safetensors", b"hello"), 3, "model: not a safetensors file"),
    ("a pickle", PICKLE, 3, "not a safetensors file"),
    ("with half a character", HALF, 3, "model: header: its metadata is not UTF-8"),
    ("with a huge header", HUGE, 3, "model: a header of 5000000 bytes is more than the 4194304 allowed"),
    ("an empty file", write("m.safetensors", b""), 3, "model: not a safetensors file"),
    ("without its architecture", BARE, 3, "does not carry its architecture"),
    ("cut short", both(lambda h: untrained(h / "m.safetensors"), lambda h: cut(h, "m.safetensors")), 3, "weights: "),
    ("of other tensors", other_tensor, 3, "1.weight"),
    ("missing", None, 2, "there is no model at 'm.safetensors'"),
    ("a folder", lambda h: (h / "m.safetensors").mkdir(), 2, "cannot read the model"),
)
for name, prepare, code, words in FILES:
    case(
        f"release of a model {name}",
        (*RECORD, "--model", "m.safetensors", "--out", "new.json"),
        code,
        words,
        prepare=prepare,
    )
    case(f"check of a model {name}", (*CHECK, "--model", "m.safetensors"), code, words, prepare=prepare)
    case(
        f"dispute over a model {name}",
        dispute("new.json", model="m.safetensors", start=64),
        code,
        words,
        prepare=prepare,
    )
    if code == 3 or name in ("missing", "a folder"):
        case(
            f"replay of a model {name}",
            ("dispute", "replay", "first.json", "--model", "m.safetensors"),
            code,
            words,
            prepare=prepare,
        )
        case(
            f"verify a model {name}",
            ("release", "verify", "release.json", "--model", "m.safetensors"),
            code,
            words,
            prepare=prepare,
        )

# release
MODEL = ("--model", "marked.safetensors")
case(
    "release under a fresh key",
    ("release", "record", "fresh", *RECORD[3:], *MODEL, "--out", "new.json"),
    4,
    "fresh is not activated",
)
case("release record exists", (*RECORD, *MODEL, "--out", "release.json"), 2, "release.json exists already")
case(
    "release receipt exists",
    (
        "release",
        "record",
        "mykey",
        "--key",
        "owner.key",
        *LOG,
        *MODEL,
        "--out",
        "new.json",
        "--receipt",
        "release.tlog-proof",
        *PASS,
    ),
    2,
    "release.tlog-proof exists already",
)
case("record and receipt are one file", (*RECORD, *MODEL, "--out", "new.proof"), 2, "new.proof is given twice")
case("record in no folder", (*RECORD, *MODEL, "--out", "no/new.json"), 2, "no is no folder")
case(
    "recipient of no name",
    (*RECORD, *MODEL, "--out", "new.json", "--recipient", ""),
    2,
    "'--recipient': 1 to 128 bytes",
)
case("recipient of a long name", (*RECORD, *MODEL, "--out", "new.json", "--recipient", "x" * 129), 2, "'--recipient'")
NO_LOG = (
    "release",
    "record",
    "mykey",
    "--key",
    "owner.key",
    "--registry",
    "no.db",
    "--log-key",
    "log.key",
    *MODEL,
    "--out",
    "new.json",
    *TO_NEW,
    *PASS,
)
case("release in no log", NO_LOG, 5, "there is no log at no.db")
IN_OTHER = (
    "release",
    "record",
    "mykey",
    "--key",
    "owner.key",
    "--registry",
    "other.db",
    "--log-key",
    "other-log.key",
    *MODEL,
    "--out",
    "new.json",
    *TO_NEW,
    *PASS,
)
case(
    "release in another log",
    IN_OTHER,
    2,
    "activated in the log log.example/1, and other.db is not that log",
    prepare=second_log,
)
case(
    "release by another owner",
    ("release", "record", "mykey", "--key", "owner2.key", *LOG, *MODEL, "--out", "new.json", *TO_NEW, *PASS),
    2,
    "another owner",
    prepare=second_owner,
)
VERIFY = ("release", "verify", "release.json")
case("release of another model", (*VERIFY, "--model", "stranger.safetensors"), 1, "the record is of", hint=False)
case("receipt without a log", (*VERIFY, "--receipt", "release.tlog-proof"), 2, "--receipt and --log go together")
case("log without a receipt", (*VERIFY, "--log", "VKEY"), 2, "--receipt and --log go together")
case(
    "verify with another entry's receipt",
    (*VERIFY, "--receipt", "mykey.tlog-proof", "--log", "VKEY"),
    1,
    "",
    hint=False,
)
case(
    "verify with another log's key",
    (*VERIFY, "--receipt", "release.tlog-proof", "--log", "OTHER"),
    1,
    "not signed by other.example/1",
    prepare=second_log,
    hint=False,
)
case("verify with no log key", (*VERIFY, "--receipt", "release.tlog-proof", "--log", "x"), 2, "--log: ")
case("verify a key statement", ("release", "verify", "fresh/statement.json"), 3, "release statement: ", hint=False)
case(
    "verify a forged release",
    VERIFY,
    1,
    "the signature does not verify",
    prepare=lambda h: forged(h, "release.json"),
    hint=False,
)
case("verify nothing", ("release", "verify", "no.json"), 2, "there is no release at 'no.json'")
case("verify a release cut short", VERIFY, 3, "release: not JSON", prepare=lambda h: cut(h, "release.json"), hint=False)

# mark train
DATA = ("--data", "data.npz", "--seed", 1)


def npz(shape=(12, 12, 1), classes=10, **arrays):
    def prepare(home):
        x, y = pictures(16, 3, shape, classes)
        np.savez(home / "d.npz", **({"x": x, "y": y} | arrays))

    return prepare


BAD = ("--data", "d.npz", "--seed", 1)
case("train with a fresh key", ("mark", "train", "fresh", *TRAIN[3:], *DATA), 4, "fresh is not activated")
case(
    "train into an existing file",
    (*TRAIN, *DATA, "--out", "marked.safetensors"),
    2,
    "marked.safetensors exists already",
)
case("train into no folder", (*TRAIN, *DATA, "--out", "no/m.safetensors"), 2, "no is no folder")
case("train without a seed", (*TRAIN, "--data", "data.npz"), 2, "missing option '--seed'")
case("train with a negative seed", (*TRAIN, "--data", "data.npz", "--seed", -1), 2, "'--seed': -1")
case("train with a huge seed", (*TRAIN, "--data", "data.npz", "--seed", 1 << 63), 2, "'--seed'")
case("train for no epoch", (*TRAIN, *DATA, "--epochs", 0), 2, "'--epochs': 0")
case("train with no rows", (*TRAIN, *DATA, "--rows", 0), 2, "'--rows': 0")
case("train on nothing", (*TRAIN, "--data", "no.npz", "--seed", 1), 2, "no file of pictures at no.npz")
case("train on a folder", (*TRAIN, "--data", "own", "--seed", 1), 2, "no file of pictures at own")
case("train on text", (*TRAIN, *BAD), 3, "d.npz: not an .npz file", prepare=write("d.npz", b"hello"))
case("train on an archive cut short", (*TRAIN, *BAD), 3, "d.npz", prepare=both(npz(), lambda h: cut(h, "d.npz")))
case(
    "train on pictures of another size",
    (*TRAIN, *BAD),
    2,
    "pictures are 8x8x1, the key's 12x12x1",
    prepare=npz((8, 8, 1)),
)
case("train on more classes", (*TRAIN, *BAD), 2, "have 301 classes, the key 100", prepare=npz(y=np.full(16, 300)))
case("train on negative classes", (*TRAIN, *BAD), 3, "labels must be in", prepare=npz(y=np.full(16, -1)), hint=False)
case(
    "train on floats",
    (*TRAIN, *BAD),
    3,
    "x is float32, not uint8",
    prepare=npz(x=np.zeros((16, 12, 12, 1), np.float32)),
)
case(
    "train without labels",
    (*TRAIN, *BAD),
    3,
    "holds no arrays x and y",
    prepare=lambda h: np.savez(h / "d.npz", x=pictures(16, 3)[0]),
)
PICKLED = lambda h: np.savez(h / "d.npz", x=np.array([{}] * 16, dtype=object), y=np.zeros(16, int))  # noqa: E731
case("train on pickles", (*TRAIN, *BAD), 3, "d.npz", prepare=PICKLED)
case(
    "train with a wrong passphrase",
    ("mark", "train", "mykey", "--key", "owner.key", "--out", "n.safetensors", *DATA, *WRONG),
    2,
    "owner.key: wrong passphrase",
)
case("check with a fresh key", ("mark", "check", "fresh", *CHECK[3:], *MODEL), 4, "fresh is not activated")
case(
    "check with another owner",
    ("mark", "check", "mykey", "--key", "owner2.key", *MODEL, *PASS),
    2,
    "another owner",
    prepare=second_owner,
)
BAD_ACTIVATION = lambda h: cut(h, "mykey/activation.json")  # noqa: E731
case(
    "check with a damaged activation",
    (*CHECK, *MODEL),
    3,
    "mykey/activation.json: not JSON",
    prepare=BAD_ACTIVATION,
    hint=False,
)

# dispute run
RANGE = {
    "taken": ({"start": 0}, 4, "leaves below 32 are taken"),
    "taken in part": ({"start": 16}, 4, "leaves below 32 are taken"),
    "off the grid": ({"start": 56}, 2, "no dispute starts at leaf 56"),
    "negative": ({"start": -16}, 2, "no dispute starts at leaf -16"),
    "beyond the key": ({"start": 128}, 2, "no dispute starts at leaf 128"),
    "of 100 leaves": ({"start": 48, "count": 100}, 2, "cannot have 100 leaves"),
    "of no leaves": ({"start": 48, "count": 0}, 2, "cannot have 0 leaves"),
    "of a negative number": ({"start": 48, "count": -16}, 2, "cannot have -16 leaves"),
    "with not enough leaves left": ({"start": 80, "count": 64}, 2, "from leaf 80 on the key has 48 leaves, not 64"),
    "of absurd size": ({"start": 48, "count": 10**18}, 2, "the key has 80 leaves"),
    "that is no number": ({"start": "first"}, 2, "'first' is not a valid integer"),
}
for name, (options, code, words) in RANGE.items():
    case(f"a range {name}", dispute("new.json", **options), code, words)
AT = {"start": 48}
case("a policy of negative bits", dispute("new.json", bits=-1, **AT), 2, "'--bits': -1")
case("a policy of 5000 bits", dispute("new.json", bits=5000, **AT), 2, "'--bits': 5000")
case("a suspect without words", dispute("new.json", suspect="", **AT), 2, "'--suspect': 1 to 128 bytes")
case("a suspect of many words", dispute("new.json", suspect="word " * 40, **AT), 2, "'--suspect'")
case("a suspect of two lines", dispute("new.json", suspect="a\nb", **AT), 2, "'--suspect'")
case("an unknown holder", dispute("new.json", "--holder", "friend", **AT), 2, "'friend' is not one of")
case("a transcript in no folder", dispute("no/new.json", **AT), 2, "no is no folder")
case("a folder as a transcript", dispute("own", **AT), 2, "cannot read the transcript 'own'")
case("a model as a transcript", dispute("marked.safetensors", **AT), 3, "transcript: not JSON", hint=False)
case("a trust file as a transcript", dispute("trust.json", **AT), 3, "transcript: ", hint=False)
case(
    "a transcript cut short",
    dispute("first.json"),
    3,
    "transcript: not JSON",
    prepare=lambda h: cut(h, "first.json"),
    hint=False,
)
case(
    "another range in the same transcript",
    dispute("first.json", "--release", "release.json", start=48),
    2,
    "filed with --start 0",
)
case(
    "another suspect in the same transcript",
    dispute("first.json", "--release", "release.json", suspect="Y"),
    2,
    "filed with --suspect model X of company Y",
)
case("no release in the same transcript", dispute("first.json"), 2, "filed with another --release")
case(
    "another model in the same transcript",
    dispute("first.json", "--release", "release.json", model="stranger.safetensors"),
    2,
    "another model",
)
case(
    "other bits in the same transcript",
    dispute("first.json", "--release", "release.json", bits=200),
    2,
    "another --bits",
)
case("a dispute in no log", dispute("new.json", registry="no.db", **AT), 5, "there is no log at no.db")
case(
    "a dispute in another log",
    dispute("new.json", registry="other.db", log_key="other-log.key", **AT),
    2,
    "other.db is not that log",
    prepare=second_log,
)
case(
    "a dispute with another log's key",
    dispute("new.json", log_key="other-log.key", **AT),
    2,
    "not the key of the log",
    prepare=second_log,
)
case("a dispute over a fresh key", dispute("new.json", folder="fresh", **AT), 4, "fresh is not activated")
case("a dispute over no key", dispute("new.json", folder="own", **AT), 2, "own is no whole key folder")
case(
    "a dispute by another owner", dispute("new.json", key="owner2.key", **AT), 2, "another owner", prepare=second_owner
)
case(
    "an owner as arbitrator",
    dispute("new.json", arbitrator="owner.key", **AT),
    2,
    "owner.key is a key of role owner, not arbitrator",
)
case(
    "an arbitrator as respondent",
    dispute("new.json", respondent="arbitrator.key", **AT),
    2,
    "role arbitrator, not respondent",
)
case(
    "a dispute with a wrong passphrase",
    dispute("new.json", passphrase_file="wrong.txt", **AT),
    2,
    "log.key: wrong passphrase",
)
case(
    "a release that is missing",
    dispute("new.json", "--release", "no.json", **AT),
    2,
    "there is no release at 'no.json'",
)
case(
    "a release that is none",
    dispute("new.json", "--release", "fresh/statement.json", **AT),
    3,
    "release statement: ",
    hint=False,
)
case(
    "a release that is forged",
    dispute("new.json", "--release", "release.json", **AT),
    1,
    "does not verify",
    prepare=lambda h: forged(h, "release.json"),
    hint=False,
)


def unlogged_release(home):
    """A release that stands in a copy of the log, but no longer in the log."""
    shutil.copy(home / "registry.db", home / "before.db")
    record = (*RECORD, "--model", "stranger.safetensors", "--out", "r.json")
    assert run(*record, cwd=home).code == 0
    shutil.copy(home / "before.db", home / "registry.db")


case(
    "a release that is not logged",
    dispute("new.json", "--release", "r.json", **AT),
    5,
    "r.json is not in the log",
    prepare=unlogged_release,
)


def other_key(home):
    """A second key of the same owner, in the same log."""
    create = ("commit", "create", "k2", "--key", "owner.key", "--leaves", 128, "--shape", "12x12x1", *PASS)
    assert run(*create, "--classes", ",".join(CLASSES), cwd=home).code == 0
    submit = ("registry", "submit", "registry.db", "k2/statement.json", "--key", "log.key", *PASS)
    assert run(*submit, "--receipt", "k2.proof", cwd=home).code == 0
    vkey = json.loads((home / "trust.json").read_text())["log"]
    activate = ("key", "activate", "k2", "--key", "owner.key", "--receipt", "k2.proof", "--log", vkey, *PASS)
    assert run(*activate, cwd=home).code == 0


case(
    "a transcript from another key",
    dispute("first.json", folder="k2"),
    2,
    "first.json holds a dispute over another key",
    prepare=other_key,
)

# dispute audit and replay
case("audit nothing", ("dispute", "audit", "no.json"), 2, "there is no transcript at 'no.json'")
case("audit a folder", ("dispute", "audit", "own"), 2, "cannot read the transcript 'own'")
case(
    "audit an empty file",
    ("dispute", "audit", "e.json"),
    3,
    "transcript: not JSON",
    prepare=write("e.json", b""),
    hint=False,
)
case("audit a model", ("dispute", "audit", "marked.safetensors"), 3, "transcript: not JSON", hint=False)
case("audit a trust file", ("dispute", "audit", "trust.json"), 3, "transcript: ", hint=False)
case(
    "audit deep JSON",
    ("dispute", "audit", "e.json"),
    3,
    "transcript: not JSON",
    prepare=write("e.json", b"[" * 100_000),
    hint=False,
)
NO_STEPS = write("e.json", b'{"format":"wmproto/transcript@v1","steps":[]}')
case("audit no steps", ("dispute", "audit", "e.json"), 3, "it holds no message", prepare=NO_STEPS, hint=False)
case(
    "audit a transcript cut short", AUDIT, 3, "transcript: not JSON", prepare=lambda h: cut(h, "first.json"), hint=False
)
SPACED = lambda h: edit(h, "first.json", b'"steps":[', b'"steps": [')  # noqa: E731
case("audit a transcript that was reformatted", AUDIT, 3, "not in canonical form", prepare=SPACED, hint=False)


def without_step(number):
    def prepare(home):
        transcript = json.loads((home / "first.json").read_bytes())
        del transcript["steps"][number]
        (home / "first.json").write_bytes(json.dumps(transcript, sort_keys=True, separators=(",", ":")).encode())

    return prepare


case("audit a transcript without a step", AUDIT, 1, "step 4: ", prepare=without_step(4), hint=False)
case("audit without a trust file", (*AUDIT, "--trust", "no.json"), 2, "there is no trust file at 'no.json'")
case("audit with a transcript as trust", (*AUDIT, "--trust", "first.json"), 3, "trust file: ", hint=False)
FOREIGN = lambda h: edit(h, "trust.json", b'"respondents"', b'"respondent"')  # noqa: E731
case(
    "audit with a trust file of other fields",
    (*AUDIT, "--trust", "trust.json"),
    3,
    "trust file: respondent",
    prepare=FOREIGN,
    hint=False,
)


def trusts(field):
    def prepare(home):
        trust = json.loads((home / "trust.json").read_text())
        trust[field] = "x.example/1+00000000+AAAA" if field == "log" else ["00" * 32]
        (home / "trust.json").write_text(json.dumps(trust))

    return prepare


for field in ("log", "arbitrators", "owners", "respondents"):
    case(
        f"audit that trusts other {field}",
        (*AUDIT, "--trust", "trust.json"),
        1,
        "the trust file does not name",
        prepare=trusts(field),
    )
COPY = (*AUDIT, "--log-copy", "log-copy.jsonl")
case("audit without a log copy", (*AUDIT, "--log-copy", "no.jsonl"), 2, "no copy of the log at 'no.jsonl'")
case("audit with a log copy cut short", COPY, 3, "log copy: ", prepare=lambda h: cut(h, "log-copy.jsonl"), hint=False)
OTHER_COPY = (*AUDIT, "--log-copy", "other-copy.jsonl")
case("audit with another log's copy", OTHER_COPY, 1, "not signed by log.example/1", prepare=second_log, hint=False)


def hide_last_entry(home):
    lines = (home / "log-copy.jsonl").read_bytes().splitlines(keepends=True)
    (home / "log-copy.jsonl").write_bytes(b"".join(lines[:-1]))


case("audit with an entry hidden", COPY, 1, "an entry is missing", prepare=hide_last_entry, hint=False)
case(
    "replay other weights",
    ("dispute", "replay", "first.json", "--model", "stranger.safetensors"),
    1,
    "the dispute is about",
    hint=False,
)
case("replay nothing", ("dispute", "replay", "no.json", *MODEL), 2, "there is no transcript")


def only_steps(number):
    def prepare(home):
        transcript = json.loads((home / "first.json").read_bytes())
        del transcript["steps"][number:]
        (home / "first.json").write_bytes(json.dumps(transcript, sort_keys=True, separators=(",", ":")).encode())

    return prepare


case(
    "replay before any answer",
    ("dispute", "replay", "first.json", *MODEL),
    4,
    "nothing to replay",
    prepare=only_steps(3),
)
case(
    "replay what was only filed",
    ("dispute", "replay", "first.json", *MODEL),
    4,
    "nothing to replay",
    prepare=only_steps(1),
)

# verdict and demo
for text in ("", "abc", "1.1", "-0.5", "0.1234567", "½", "80%"):
    case(f"retention {text!r}", ("verdict", "plan", "--classes", 10, "--retention", text), 2, "is not a retention")
case("a mark that is too weak", ("verdict", "plan", "--classes", 10, "--retention", "0.1"), 2, "too weak")
case("one class to plan", ("verdict", "plan", "--classes", 1), 2, "'--classes': 1")
case("no bits to plan", ("verdict", "plan", "--classes", 10, "--bits", 0), 2, "'--bits': 0")
case("demo over an existing folder", ("demo", "--out", "own"), 2, "own exists already")
case("demo over a file", ("demo", "--out", "pass.txt"), 2, "pass.txt exists already")
case("demo in no folder", ("demo", "--out", "no/out"), 2, "no is no folder")


@pytest.mark.parametrize(("prepare", "args", "code", "words", "hint"), CASES)
def test_bad_input(town, home, prepare, args, code, words, hint):
    other = prepare(home) if prepare else None
    real = {"VKEY": town.vkey, "OTHER": other}
    before = snapshot(home)
    result = run(*(real.get(a, a) if isinstance(a, str) else a for a in args), cwd=home)
    check_error(result, code, words, hint=hint)
    assert snapshot(home) == before
