"""Cases for checkpoints and receipts under a policy (reg-policy-6, reg-policy-7, reg-cosign-3)."""

import cosignature
import ed25519
import policy
import registry
from cases_registry import LOG, NAME, ROOT, small_log
from encoding import b64
from vectors import Group, seed

LOG_2, NAME_2 = seed("log 2"), "log.example/2"
TEXT = f"{NAME}\n7\n{b64(ROOT)}\n"
TIME = 1_764_000_000
WITNESSES = "ABC"
CROWD = [f"W{i}" for i in range(63)]


def vkey(word):
    return cosignature.vkey(f"{word.lower()}.example", ed25519.public(seed(f"witness {word}")))


def made(quorum, *logs, words=WITNESSES):
    """A policy of witnesses A, B and C, or others."""
    lines = [f"log {log}" for log in logs] + [f"witness {word} {vkey(word)}" for word in words]
    return "\n".join([*lines, *quorum]) + "\n"


LOG_1_KEY = registry.vkey(NAME, ed25519.public(LOG))
LOG_2_KEY = registry.vkey(NAME_2, ed25519.public(LOG_2))
POLICIES = {
    "2 of 3": made(["group g 2 A B C", "quorum g"], LOG_1_KEY),
    "A": made(["quorum A"], LOG_1_KEY),
    "none": made(["quorum none"], LOG_1_KEY),
    "no log": made(["quorum none"]),
    "two logs": made(["quorum none"], LOG_1_KEY, LOG_2_KEY),
    "another log": made(["quorum none"], LOG_2_KEY),
    "63": made(["group g all " + " ".join(CROWD), "quorum g"], LOG_1_KEY, words=CROWD),
}


def line(word, text=TEXT, time=TIME):
    return cosignature.cosign(f"{word.lower()}.example", seed(f"witness {word}"), time, text)


def times(found):
    return {name.decode(): got for name, got in sorted(found["times"].items())}


def checkpoints():
    g = Group(
        "policy-checkpoint",
        "does a checkpoint count under the policy of that name under `policies`, in a transcript (strict) or "
        "elsewhere; the times of each witness's lines, in their order",
        policies=POLICIES,
    )
    note = registry.sign_note(TEXT, NAME, LOG)
    head, log_line = note.split("\n\n")
    a, b, c = map(line, WITNESSES)
    stranger = line("S")

    def run(name, whole, strict):
        found = policy.Policy(POLICIES[name].encode()).verify(whole, strict)
        rest = {"origin": found["origin"], "root": found["root"].hex(), "size": found["size"]}
        return rest | {"times": times(found)}

    def add(comment, name, lines, *flags, strict=(False, True), expect="TrustError", rule="reg-policy-6", ok=False):
        whole = lines if "\n\n" in lines else note + lines
        expect, rule = (expect, rule) if flags and not ok else ("ok", "")
        for one in strict:
            told = comment + (", strict" if one and len(strict) > 1 else "")
            check = lambda one=one: run(name, whole, one)  # noqa: E731
            g.add(told, check, expect, flags, rule, note=whole, policy=name, strict=one)

    bad = {"expect": "SignatureError", "rule": "enc-ed25519-2"}
    form = {"expect": "FormatError", "rule": ""}
    add("two of three", "2 of 3", a + b)
    add("all of them, in another order", "2 of 3", c + b + a)
    add("in front of the log's line", "2 of 3", head + "\n\n" + a + c + log_line)
    add("one of three", "2 of 3", a, "Unsatisfied")
    add("one of three, twice", "2 of 3", a + a, "Unsatisfied")
    add("one of three, at two times", "2 of 3", a + line("A", time=TIME + 1), "Unsatisfied")
    add("nobody", "2 of 3", "", "Unsatisfied")
    add("nobody, and nobody is asked", "none", "")
    add("one, and nobody is asked", "none", b)
    add("others than who is asked", "A", b + c, "Unsatisfied")
    add("who is asked and others", "A", c + a)
    add("one of three and a stranger", "2 of 3", a + stranger, "Unsatisfied", strict=[False])
    loose = {"strict": [False], "ok": True}
    strict = {"strict": [True], "rule": "reg-policy-7"}
    for comment, extra in [
        ("a stranger", stranger),
        ("a witness's name and another id", cosignature.line("a.example", bytes(4), bytes(72))),
        ("a witness's id and another name", a.replace("a.example", "x.example")),
        ("the log's name and another id", f"\u2014 {NAME} AAAAAAA=\n"),
        ("a witness's key as a log's", registry.sign_note(TEXT, "a.example", seed("witness A")).split("\n\n")[1]),
        ("the log's key as a witness's", cosignature.cosign(NAME, LOG, TIME, TEXT)),
    ]:
        add(comment, "2 of 3", a + b + extra, "PassedOver", **loose)
        add(comment + ", strict", "2 of 3", a + b + extra, "Stranger", **strict)
    false = line("C", text=TEXT.replace("7", "8", 1))
    add("two good ones and a false one", "2 of 3", a + b + false, "BadSignature", **bad)
    add("a false one of a witness that nobody asks", "none", false, "BadSignature", **bad)
    add("one of 71 bytes", "2 of 3", a + b + short(c), "BadSignature", **form)
    add("one of time 0", "2 of 3", a + b + line("C", time=0), "BadSignature", **form)
    add(
        "the log's line is of another text",
        "2 of 3",
        TEXT.replace("7", "8", 1) + "\n" + log_line,
        "BadSignature",
        **bad,
    )
    add("witnesses, and not the log", "2 of 3", TEXT + "\n" + a + b, "WrongKeyId")
    thief = registry.sign_note(TEXT, NAME, seed("stranger"))
    add("a stranger in the log's name", "none", thief, "WrongKeyId", strict=[False])
    add("a policy of no log", "no log", "", "UnknownLog", strict=[False])
    add("a policy of another log", "another log", "", "UnknownLog", strict=[False])
    text_2 = TEXT.replace(NAME, NAME_2)
    add("the second of two logs", "two logs", registry.sign_note(text_2, NAME_2, LOG_2))
    by_2 = registry.sign_note(TEXT, NAME_2, LOG_2)
    add("the origin of one log, signed by another", "two logs", by_2, "WrongKeyId", strict=[False])
    line_2 = by_2.split("\n\n")[1]
    add("signed by another log of the policy as well", "two logs", line_2, "PassedOver", ok=True)
    false_2 = registry.sign_note(text_2, NAME_2, LOG_2).split("\n\n")[1]
    add("a false line of another log of the policy", "two logs", false_2, "BadSignature", **bad)
    extended = registry.sign_note(TEXT + "more\n", NAME, LOG)
    more = "".join(line(word, TEXT + "more\n") for word in "AB")
    add("63 witnesses: as many lines as a note may have", "63", "".join(map(line, CROWD)), strict=[True])
    add("an extension line", "2 of 3", extended + more, "Unsatisfied", **form)
    return g


def short(cosigned):
    """One byte less."""
    _, name, data = cosigned.split(" ")
    return cosignature.line(name, b"", cosignature.unb64(data.strip())[:-1])


def receipts():
    """reg-gather-3: a receipt carries the lines that the policy knows."""
    log = small_log()
    leaf, receipt = log.leaves()[5], log.receipt(5).decode()
    text = receipt.split("\n\n", 1)[1].split("\n\n")[0] + "\n"
    g = Group("policy-receipt", "does a receipt prove the entry with that leaf hash under the policy of that name",
              policies=POLICIES)  # fmt: skip

    def run(name, data, wanted, strict):
        note = data.split("\n\n", 1)[1]
        counted = policy.Policy(POLICIES[name].encode()).verify(note, strict)
        found = registry.verify_receipt(data.encode(), wanted, (NAME, ed25519.public(LOG)))
        return {"index": found["index"], "size": found["size"], "times": times(counted)}

    def add(comment, name, lines, *flags, strict=False, wanted=leaf, expect="TrustError", rule="reg-policy-6"):
        data = receipt + lines
        expect, rule = (expect, rule) if flags else ("ok", "")
        check = lambda: run(name, data, wanted, strict)  # noqa: E731
        g.add(comment, check, expect, flags, rule, leaf=wanted.hex(), policy=name, receipt=data, strict=strict)

    a, b = (line(word, text) for word in "AB")
    add("two of three", "2 of 3", a + b)
    add("two of three, strict", "2 of 3", a + b, strict=True)
    add("nobody is asked", "none", "")
    add("one of three", "2 of 3", a, "Unsatisfied")
    add("nobody", "2 of 3", "", "Unsatisfied")
    add("cosignatures of another checkpoint", "2 of 3", line("A") + b, "BadSignature", expect="SignatureError",
        rule="enc-ed25519-2")  # fmt: skip
    add("a stranger, strict", "2 of 3", a + b + line("S", text), "Stranger", strict=True, rule="reg-policy-7")
    add(
        "another entry",
        "2 of 3",
        a + b,
        "WrongEntry",
        wanted=log.leaves()[6],
        expect="InclusionError",
        rule="enc-tree-3",
    )
    return g
