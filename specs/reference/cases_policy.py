"""Cases for the policies of specs/registry.md (reg-policy-1 to 8): what they say, and what they refuse."""

import cosignature
import ed25519
import policy
import registry
from cases_policy_checkpoint import checkpoints, receipts
from cases_registry import LOG, NAME, VKEY
from encoding import b64
from vectors import Group, seed

NOTES = {
    "Bytes": ("PARSER DIFFERENTIAL", "a byte that another reader takes for the end of a line or word, or for nothing"),
    "Form": ("PARSER DIFFERENTIAL", "a line is read in one's own way"),
    "Limit": ("DENIAL", "a policy that no reader can hold"),
    "KeyType": ("TYPE CONFUSION", "a key is believed in a role that it was not made for"),
    "Duplicate": ("WEAK QUORUM", "one key counts twice"),
    "Name": ("WEAK QUORUM", "a name means two things"),
    "Member": ("WEAK QUORUM", "one witness counts twice, or a group means what is said only later"),
    "Number": ("WEAK QUORUM", "a group that needs nobody, or that nobody can satisfy, or a number of several readings"),
    "Quorum": ("WEAK QUORUM", "a policy of no quorum, or of two"),
    "Opaque": ("PARSER DIFFERENTIAL", "bytes from 80 on are letters to one reader and white space to another"),
    "Unsatisfied": ("WEAK QUORUM", "a checkpoint counts that too few have cosigned"),
    "UnknownLog": ("FORK", "a checkpoint of a log that nobody trusts counts"),
    "WrongKeyId": ("FORK", "a name stands for a log, whatever key has signed"),
    "BadSignature": ("FORGERY", "a false line of a known key is passed over"),
    "Stranger": ("SMUGGLING", "evidence carries bytes that nothing verifies"),
    "PassedOver": ("INTEROPERABILITY", "strangers' lines must be passed over where nobody says otherwise"),
    "WrongEntry": ("FORGERY", "a receipt proves another entry"),
}

LOG_2 = seed("log 2")
VKEY_2 = registry.vkey("log.example/2", ed25519.public(LOG_2))


def witness(name, word=None):
    """The line of a witness whose key is made from its name (or that word)."""
    return f"witness {name} " + vkey(f"{(word or name).lower()}.example", word or name) + "\n"


def vkey(name, word):
    return cosignature.vkey(name, ed25519.public(seed(f"witness {word}")))


L = f"log {VKEY}\n"
A, B, C = witness("A"), witness("B"), witness("C")
EXAMPLE = (
    L
    + "\n"
    + "".join(witness(f"X{i}") for i in (1, 2, 3))
    + "group X-witnesses 2 X1 X2 X3\n\n"
    + "".join(witness(f"Y{i}") for i in (1, 2, 3))
    + "group Y-witnesses any Y1 Y2 Y3\n\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
)


def octets(word):
    """A word of the file, one character a byte."""
    return word.decode("latin-1")


def parsed(data):
    found = policy.Policy(data)
    logs = [{"vkey": registry.vkey(n, public), "url": octets(url)} for n, (public, url) in found.logs.items()]
    witnesses = [
        {"name": octets(name), "vkey": cosignature.vkey(*key), "url": octets(url)}
        for name, (key, url) in found.witnesses.items()
    ]
    groups = [{"k": k, "members": [*map(octets, m)], "name": octets(n)} for n, (k, m) in found.groups.items()]
    rest = {"digest": found.digest, "quorum": octets(found.quorum)}
    return {"groups": groups, "logs": logs, "witnesses": witnesses} | rest


def policies():
    g = Group(
        "policy", "what a policy says; names and URLs stand there with one character a byte, an absent URL is empty"
    )

    def add(comment, data, *flags, ok=False, error="FormatError"):
        data = data.encode() if isinstance(data, str) else data
        try:
            shown = {"policy": data.decode()}
        except UnicodeDecodeError:
            shown = {"policy_hex": data.hex()}
        g.add(comment, lambda: parsed(data), "ok" if ok or not flags else error, flags, **shown)

    _good(add)
    _bytes(add)
    _forms(add)
    _keys(add)
    _names(add)
    _numbers(add)
    _counts(add)
    return g


def _good(add):
    add("the shape of tlog-policy's example", EXAMPLE)
    add("no witness", L + "quorum none\n")
    add("a quorum alone", "quorum none\n")
    add("one witness and no log", A + "quorum A\n")
    add("two logs, with URLs", f"log {VKEY} https://log.example/1\nlog {VKEY_2} https://log.example/2\nquorum none\n")
    add("witnesses with URLs", A[:-1] + " https://a.example\n" + B[:-1] + " b\nquorum B\n")
    add("the quorum comes first", "quorum none\n" + L + A)
    add("lines behind the quorum", A + "quorum A\n" + B + "group g any A B\n" + L)
    add("a witness that no quorum asks", A + B + "quorum A\n")
    add("a quorum that is a member as well", A + B + "group g all A B\nquorum A\n")
    add("one member: any, all and 1", A + B + C + "group a any A\ngroup b all B\ngroup c 1 C\nquorum a\n")
    add("the words of the forms as names", L + witness("any") + witness("all") + witness("2")
        + witness("log") + witness("quorum") + "group group 2 any all 2 log quorum\nquorum group\n")  # fmt: skip
    add("names in capitals are others", witness("a", "A") + witness("A", "B") + "group g 2 a A\nquorum g\n")
    add("signs in a name", witness("+#\"'\\,=~", "A") + "quorum +#\"'\\,=~\n")


def _bytes(add):
    add("tabs and spaces", f"\t log\t \t{VKEY}  \n \t\n\tquorum\tnone\t\n")
    add("comments", f"# one\n \t# two\n#quorum none\n##\n{L}quorum none\n#\n")
    add("a hash that begins no line is part of a word", f"log {VKEY} #1\n" + witness("#a") + "quorum #a\n")
    add("a hash behind a word is no comment", L + "quorum none # all\n", "Form")
    add(
        "opaque bytes in a comment", b"# \xff\xfe\x80 \xe2\x80\xa8\n" + L.encode() + b"quorum none\n", "Opaque", ok=True
    )
    raw = A.encode().replace(b"witness A", b"witness \xff\xc0", 1) + b"quorum \xff\xc0\n"
    add("names of bytes that are no UTF-8", raw, "Opaque", ok=True)
    add(
        "Kelvin is not K",
        witness("\u212a", "A") + witness("K", "B") + "group g all \u212a K\nquorum g\n",
        "Opaque",
        ok=True,
    )
    add(
        "two forms of one letter",
        witness("\u00e9", "A") + witness("e\u0301", "B") + "quorum e\u0301\n",
        "Opaque",
        ok=True,
    )
    for comment, sign in (("no-break space", "\u00a0"), ("NEL", "\x85"), ("line separator", "\u2028")):
        name = f"a{sign}b"
        add(f"a name with {comment} is one word", witness(name, "A") + f"quorum {name}\n", "Opaque", ok=True)
    add("a URL that is not ASCII", L[:-1] + " https://l\u00f6g.example\nquorum none\n", "Opaque", ok=True)
    for comment, sign in (("a no-break space", b"\xc2\xa0"), ("the byte 85", b"\x85"), ("the byte a0", b"\xa0")):
        add(f"{comment} does not separate", L.encode().replace(b" ", sign) + b"quorum none\n", "Opaque")
    add("no newline at the end", L + "quorum none", "Bytes")
    add("nothing", "", "Bytes")
    add("carriage returns", (L + "quorum none\n").replace("\n", "\r\n"), "Bytes")
    for comment, sign in (
        ("NUL", 0),
        ("a vertical tab", 11),
        ("a form feed", 12),
        ("a carriage return", 13),
        ("ESC", 27),
        ("DEL", 127),
        ("01", 1),
    ):
        add(f"{comment} in a comment", f"# {chr(sign)}\nquorum none\n", "Bytes")
    add("a byte order mark is part of a word", "\ufeffquorum none\n", "Bytes")
    add("NUL behind the end", "quorum none\n\x00", "Bytes")


def _forms(add):
    add("an unknown word", L + "signer x\nquorum none\n", "Form")
    add("a form in capitals", "Quorum none\n", "Form")
    add("a log without its key", "log\nquorum none\n", "Form")
    add("a log with two URLs", L[:-1] + " a b\nquorum none\n", "Form")
    add("a witness without its key", "witness A\nquorum none\n", "Form")
    add("a witness without a name", A.replace("A ", "", 1) + "quorum none\n", "Form")
    add("a witness with two URLs", A[:-1] + " a b\nquorum A\n", "Form")
    add("a group without members", A + "group g any\nquorum A\n", "Form")
    add("a group without a number", A + "group g A\nquorum A\n", "Form")
    add("a quorum without a name", A + "quorum\n", "Form")
    add("a quorum of two names", A + B + "quorum A B\n", "Form")


def _keys(add):
    public = ed25519.public(seed("witness A"))
    other = vkey("a.example", "A")
    add("a log's key of type 04", f"log {other}\nquorum none\n", "KeyType")
    add("a witness's key of type 01", f"witness A {VKEY}\nquorum A\n", "KeyType")
    ml_dsa = (public * 41)[:1312]
    ident = cosignature.sha256(b"a.example\n\x06" + ml_dsa)[:4].hex()
    add("a witness's key of type 06", f"witness A a.example+{ident}+{b64(chr(6).encode() + ml_dsa)}\nquorum A\n",
        "KeyType", error="UnsupportedError")  # fmt: skip
    add("another key id", A.replace(other.split("+")[1], "00000000") + "quorum A\n", "WrongKeyId")
    add(
        "a key name that is no UTF-8",
        b"log l\xff+00000000+" + VKEY.split("+", 2)[2].encode() + b"\nquorum none\n",
        "Form",
    )
    neutral = ed25519.encode(ed25519.NEUTRAL)
    add("a key of small order", f"witness A {cosignature.vkey('a', neutral)}\nquorum A\n", "KeyType")
    add("a witness's line twice", A + A + "quorum A\n", "Duplicate")
    add("one key under two names of witnesses", A + witness("B", "A") + "quorum A\n", "Duplicate")
    renamed = vkey("b.example", "A")
    add("one key under two key names", A + f"witness B {renamed}\ngroup g all A B\nquorum g\n", "Duplicate")
    add(
        "one key for two logs",
        L + f"log {registry.vkey('log.example/2', ed25519.public(LOG))}\nquorum none\n",
        "Duplicate",
    )
    add("a log twice", L + L + "quorum none\n", "Duplicate")
    add(
        "a log's key as a witness's",
        L + f"witness A {cosignature.vkey('a', ed25519.public(LOG))}\nquorum A\n",
        "Duplicate",
    )
    add("a witness's key as a log's", A + f"log {registry.vkey('log', public)}\nquorum A\n", "Duplicate")
    add("one log's name with two keys", L + f"log {registry.vkey(NAME, ed25519.public(LOG_2))}\nquorum none\n", "Name")
    add("two witnesses of one key name", A + f"witness B {vkey('a.example', 'B')}\ngroup g all A B\nquorum g\n")
    add("a witness of the log's key name", L + f"witness A {vkey(NAME, 'A')}\nquorum A\n")


def _names(add):
    add("a witness named none", witness("none") + "quorum none\n", "Name")
    add("a group named none", A + "group none any A\nquorum none\n", "Name")
    add("two witnesses of one name", A + witness("A", "B") + "quorum A\n", "Name")
    add("two groups of one name", A + B + "group g any A\ngroup g any B\nquorum g\n", "Name")
    add("a group of a witness's name", A + B + "group B any A\nquorum B\n", "Name")
    add("a witness of a group's name", A + "group g any A\n" + witness("g") + "quorum g\n", "Name")
    add("none as a member", A + "group g any A none\nquorum g\n", "Member")
    add("an unknown member", A + "group g any A B\nquorum g\n", "Member")
    add("a member that stands below", A + "group g any A B\n" + B + "quorum g\n", "Member")
    add("a group of itself", A + "group g any A g\nquorum g\n", "Member")
    add("two groups of each other", A + "group g any h\ngroup h any g\nquorum g\n", "Member")
    add("a member twice", A + B + "group g 2 A A B\nquorum g\n", "Member")
    add("a member of two groups", A + B + "group g any A\ngroup h any A B\nquorum h\n", "Member")
    add("a member of a group and of its group", A + B + "group g any A\ngroup h all g A\nquorum h\n", "Member")
    add("a log's name as a member", L + f"group g any {NAME}\nquorum g\n", "Member")
    add("a vkey's name as a member", A + "group g any a.example\nquorum g\n", "Member")


def _numbers(add):
    g = A + B + C + "group g {} A B C\nquorum g\n"
    for number in (1, 3):
        add(f"{number} of 3", g.format(number))
    for number in ("0", "4", "01", "+1", "-1", "1.0", "0x1", "1_0", "ALL", "Any", "none", "1" * 5000, str(2**64 + 1)):
        add(f"{number[:12]} of 3", g.format(number), "Number")
    add("another script's two", g.format("\u0662"), "Number", "Opaque")


def _counts(add):
    add("no quorum", L + A, "Quorum")
    add("only a comment", "#\n", "Quorum")
    add("two quorums", A + "quorum A\nquorum A\n", "Quorum")
    add("two quorums, one of them none", A + "quorum none\nquorum A\n", "Quorum")
    add("a quorum above its witness", "quorum A\n" + A, "Quorum")
    add("a quorum of nobody", A + "quorum B\n", "Quorum")
    add("a quorum of a log", L + f"quorum {NAME}\n", "Quorum")


def limits():
    keys = [seed(f"witness w{i}") for i in range(64)]
    lines = {
        "group": [f"group g{i} any {f'g{i - 1}' if i else 'A'}\n" for i in range(64)],
        "log": [f"log {registry.vkey(f'l{i}', ed25519.public(key))}\n" for i, key in enumerate(keys)],
        "witness": [witness(f"w{i}") for i in range(64)],
    }
    g = Group(
        "policy-limit",
        "`policy` whose <fill> is `letters` letters a, or the first `count` of the `lines` of a kind: its digest",
        lines=lines,
    )

    def add(comment, text, fill, *flags, **shown):
        data = text.replace("<fill>", fill).encode()
        steps = lambda: {"digest": policy.Policy(data).digest}  # noqa: E731
        g.add(comment, steps, "FormatError" if flags else "ok", flags, policy=text, **shown)

    for kind, before, quorum in (("log", "", "none"), ("witness", "", "w62"), ("group", A, "g62")):
        for count in (63, 64):
            flags = ["Limit"] if count == 64 else []
            text = f"{before}<fill>quorum {quorum}\n"
            add(f"{count} of {kind}", text, "".join(lines[kind][:count]), *flags, count=count, kind=kind)
    text = "# <fill>\nquorum none\n"
    for comment, letters, flags in (("64 KiB", 65_536 - 15, []), ("64 KiB and a byte", 65_537 - 15, ["Limit"])):
        add(comment, text, "a" * letters, *flags, letters=letters)
    return g


def satisfied():
    tree = A + B + C + "".join(witness(n) for n in "DEF")
    texts = {
        "example": EXAMPLE,
        "none": A + "quorum none\n",
        "one": A + B + "quorum A\n",
        "any": A + B + "group g any A B\nquorum g\n",
        "all": A + B + "group g all A B\nquorum g\n",
        "2 of 3": A + B + C + "group g 2 A B C\nquorum g\n",
        "operators": tree + "group a any A B\ngroup b any C D\ngroup q all a b E\nquorum q\n",
        "deep": tree + "group a 2 A B C\ngroup b 2 a D E\ngroup c any b F\nquorum c\n",
    }
    comment = (
        "for each set of the policy's witnesses, 1 if it satisfies the quorum: in set n stands witness i of the file "
    )
    g = Group("policy-satisfied", comment + "if bit i of n is 1")
    for name, text in texts.items():
        found = policy.Policy(text.encode())
        names = list(found.witnesses)
        sets = [{w for i, w in enumerate(names) if n >> i & 1} for n in range(1 << len(names))]
        answers = "".join(str(int(found.satisfied(s))) for s in sets)
        g.add(name, lambda answers=answers: {"satisfied": answers}, policy=text)
    return g


def groups():
    return [policies(), limits(), satisfied(), checkpoints(), receipts()]
