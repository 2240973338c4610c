"""Cases for the witnesses of specs/registry.md (reg-witness-1 to 6, 8 and 11): a state, a request, the answer."""

import cosignature
import ed25519
import merkle
import registry
import witness
from cases_registry import LOG, NAME
from encoding import b64, sha256
from vectors import Group, seed

NOTES = {
    "Form": ("PARSER DIFFERENTIAL", "a malformed request is read in one's own way"),
    "Decimal": ("MALLEABILITY", "one size has several texts"),
    "Limit": ("DENIAL", "a request that keeps the witness busy"),
    "UnknownLog": ("DENIAL", "anybody can have the witness keep a log"),
    "NotSigned": ("DENIAL", "anybody can advance the witness's state of a log"),
    "Shrunk": ("FORK", "a log that lost entries is cosigned"),
    "OldSize": ("FORK", "a tree is compared with something else than the last one"),
    "Proof": ("FORK", "a log that changed entries is cosigned"),
    "EmptyTree": ("FORK", "what a log of no entries signed passes unseen"),
    "Order": ("INTEROPERABILITY", "two faults at once: clients rely on which one they are told"),
    "Clock": ("FALSE TIME", "a witness says of a small tree that it was the largest when it had cosigned a larger one"),
    "Extension": ("INTEROPERABILITY", "what follows the third line is signed, too"),
    "PassedOver": ("INTEROPERABILITY", "lines of other keys must be passed over"),
}

WITNESS_NAME, WITNESS = "w1.example/witness", seed("witness 1")
NAME_2, LOG_2 = "log.example/2", seed("log 2")
TIME = 1_764_000_000
LEAVES = [merkle.leaf_hash(b"entry %d" % n) for n in range(40)]
OTHER = [merkle.leaf_hash(b"forked %d" % n) for n in range(40)]
LOGS = [(NAME, ed25519.public(LOG)), (NAME_2, ed25519.public(LOG_2))]


def text(size, leaves=LEAVES, name=NAME, root=None, rest=""):
    return f"{name}\n{size}\n{b64(merkle.root(leaves[:size]) if root is None else root)}\n{rest}"


def signed(body, name=NAME, secret=LOG):
    return registry.sign_note(body, name, secret)


def grow(old, new, leaves=LEAVES, **others):
    """The request of an honest log, or of one with other leaves."""
    return witness.request(old, merkle.consistency(old, leaves[:new]), signed(text(new, leaves, **others)))


HISTORY = [grow(0, 3), grow(3, 7)]
NEXT = [grow(0, 3), grow(3, 7), grow(7, 9)]


def requests():
    g = Group(
        "add-checkpoint",
        "a witness that follows `logs` has answered the first `before` requests of `history`, one a second from `time` "
        "on; what it answers to `body` (<fill> stands for `letters` letters a) at `now`. A refused request changes "
        "nothing: then number `before` of `next` is answered with 200. No body is given where its words are free",
        history=HISTORY,
        logs=[registry.vkey(*log) for log in LOGS],
        next=NEXT,
        time=TIME,
        witness={
            "name": WITNESS_NAME,
            "seed": WITNESS.hex(),
            "vkey": cosignature.vkey(WITNESS_NAME, ed25519.public(WITNESS)),
        },
    )

    def run(body, before, now):
        one = witness.Witness(WITNESS_NAME, WITNESS, LOGS)
        for n, earlier in enumerate(HISTORY[:before]):
            if one.add_checkpoint(earlier.encode(), TIME + n)[0] != 200:
                raise AssertionError("the history is not accepted")
        return one.add_checkpoint(body, now)

    def add(comment, body, before, status, *flags, breaks="", now=TIME + 60, letters=0):
        shown = {"body": body} if isinstance(body, str) else {"body_hex": body.hex()}
        whole = body.replace("<fill>", "a" * letters).encode() if isinstance(body, str) else body
        got, kind, answer, rule = run(whole, before, now)
        if (got, rule) != (status, breaks):
            raise AssertionError(f"{comment}: expected {status} {breaks}, the reference says {got} {rule}")
        steps = {"status": got} | ({"body": answer} if answer else {}) | ({"type": kind} if kind else {})
        more = {"letters": letters} if letters else {}
        g.add(comment, lambda: steps, flags=flags, before=before, breaks=rule, now=now, **shown, **more)

    _accepted(add)
    _malformed(add)
    _limits(add)
    _unknown(add)
    _sizes(add)
    _proofs(add)
    _two_faults(add)
    return g


def _accepted(add):
    empty = merkle.root([])
    add("the first checkpoint", grow(0, 3), 0, 200)
    add("the first one, of a larger log", grow(0, 40), 0, 200)
    add("a log of one entry", grow(0, 1), 0, 200)
    add("the largest size that there is", witness.request(0, [], signed(text(2**63 - 1, root=empty))), 0, 200)
    add("an empty log", grow(0, 0), 0, 200, "EmptyTree")
    add("it grew", grow(7, 9), 2, 200)
    add("it grew by much", grow(7, 40), 2, 200)
    add("the same once more", grow(7, 7), 2, 200)
    other = witness.request(0, [], signed(text(5, name=NAME_2), NAME_2, LOG_2))
    add("another log, of which it knows nothing", other, 2, 200)
    add("the clock stands still", grow(7, 9), 2, 200, "Clock", now=TIME + 1)
    add("the clock was set back", grow(7, 9), 2, 200, "Clock", now=TIME - 1000)
    add("the clock was set back behind the epoch", grow(0, 3), 0, 200, "Clock", now=-1)
    add("an extension line", grow(7, 9, rest="more\n"), 2, 200, "Extension")
    add("three of them", grow(7, 9, rest="more\n \nold 3\n"), 2, 200, "Extension")
    add("an extension line under the same size", grow(7, 7, rest="more\n"), 2, 200, "Extension")
    good = grow(7, 9)
    stranger = signed("x\n", "s.example", seed("stranger")).split("\n\n")[1]
    add("a stranger's line behind", good + stranger, 2, 200, "PassedOver")
    add("a stranger's line in front", good.replace("\n\n\u2014", "\n\n" + stranger + "\u2014"), 2, 200, "PassedOver")
    add("a line of the log's name and another id", good + f"\u2014 {NAME} AAAAAAA=\n", 2, 200, "PassedOver")
    add(
        "a false line of the witness's own",
        good + cosignature.line(WITNESS_NAME, OWN_ID, bytes(72)),
        2,
        200,
        "PassedOver",
    )
    own = cosignature.cosign(WITNESS_NAME, WITNESS, TIME, text(9))
    add("a line of the witness's own", good + own, 2, 200, "PassedOver")
    add("64 signature lines", good + "\u2014 w AAAAAAA=\n" * 63, 2, 200, "PassedOver")


OWN_ID = cosignature.key_id(WITNESS_NAME, ed25519.public(WITNESS))


def _malformed(add):
    good = grow(7, 9)
    proof, note = [line + "\n" for line in good.split("\n\n")[0].split("\n")[1:]], good.split("\n\n", 1)[1]

    def bad(comment, body, flag="Form"):
        add(comment, body, 2, 400, flag, breaks="reg-witness-1")

    head = good.split("\n\n")[0]
    bad("nothing", "")
    bad("a note alone", note)
    bad("no old line", good.split("\n", 1)[1])
    bad("old in capitals", good.replace("old", "Old", 1))
    bad("old with a tab", good.replace("old ", "old\t", 1))
    bad("no size", good.replace("old 7", "old", 1))
    for comment, size in (
        ("no digit", ""),
        ("a leading zero", "07"),
        ("a plus", "+7"),
        ("a minus", "-7"),
        ("an underscore", "0_7"),
        ("two spaces", " 7"),
        ("a space behind", "7 "),
        ("another script's seven", "\u0667"),
        ("2^63", str(2**63)),
        ("5,000 digits", "7" * 5000),
    ):
        bad(f"old size: {comment}", good.replace("old 7", f"old {size}", 1), "Decimal")
    for comment, size in (("a leading zero", "09"), ("a plus", "+9"), ("2^63", 2**63), ("no digit", "")):
        bad(f"size: {comment}", witness.request(7, [], signed(f"{NAME}\n{size}\n{b64(sha256(b''))}\n")), "Decimal")
    bad("two old lines", "old 7\n" + good)
    bad("no blank line", head + "\n" + note)
    bad("two blank lines", good.replace("\n\n", "\n\n\n", 1))
    bad("a blank line in the proof", good.replace(proof[1], "\n" + proof[1], 1))
    bad("carriage returns", good.replace("\n", "\r\n"))
    bad("no newline at the end", good[:-1])
    bad("a newline more at the end", good + "\n")
    bad("bytes that are no UTF-8", good.encode() + b"\xe2\x80\x94 \xff AAAAAAA=\n")
    bad("a hash of 31 bytes", good.replace(proof[0], b64(bytes(31)) + "\n", 1))
    bad("a hash in hexadecimal", good.replace(proof[0], bytes(32).hex() + "\n", 1))
    bad("a hash without padding", good.replace(proof[0], proof[0].replace("=", ""), 1))
    bad("a hash with bits behind its end", good.replace(proof[0], "A" * 42 + "B=\n", 1))
    bad("a hash and a space", good.replace(proof[0], proof[0][:-1] + " \n", 1))
    bad("no note", head + "\n\n")
    bad("a note that nobody signed", head + "\n\n" + text(9) + "\n")
    bad("a signature line that is none", good + "more\n")
    bad("a note of two lines", witness.request(0, [], signed(f"{NAME}\n9\n")))
    bad("a root of 31 bytes", witness.request(7, [], signed(f"{NAME}\n9\n{b64(bytes(31))}\n")))
    bad("no origin", witness.request(7, [], signed(text(9, name=""))))
    bad("an empty extension line", grow(7, 9, rest="\n"))
    bad("an empty line and an extension line", grow(7, 9, rest="\nmore\n"))
    bad("a tab in an extension line", grow(7, 9, rest="a\tb\n"))


def _limits(add):
    head, note = grow(7, 9).split("\n\n", 1)
    rule = {"breaks": "reg-witness-1"}
    lines = (b64(bytes(32)) + "\n") * 63
    add("63 hashes", "old 7\n" + lines + "\n" + note, 2, 422, "Proof", breaks="reg-witness-6")
    add("64 hashes", "old 7\n" + lines + b64(bytes(32)) + "\n\n" + note, 2, 400, "Limit", **rule)
    add("65 signature lines", head + "\n\n" + note + "\u2014 w AAAAAAA=\n" * 64, 2, 400, "Limit", **rule)
    most = (64 << 10) - len(signed(text(9, rest="\n")).encode())
    for comment, letters, status in (("60 KiB", most - 4096, 200), ("64 KiB and a byte", most + 1, 400)):
        whole = signed(text(9, rest="a" * letters + "\n")).replace("a" * letters, "<fill>")
        flags, broken = (("Extension",), {}) if status == 200 else (("Limit",), rule)
        add(f"a note of {comment}", head + "\n\n" + whole, 2, status, *flags, letters=letters, **broken)
    add("72 KiB", "<fill>", 2, 400, "Limit", letters=72 << 10, **rule)
    add("72 KiB and a byte", "<fill>", 2, 413, "Limit", letters=(72 << 10) + 1, **rule)


def _unknown(add):
    stranger = seed("stranger")
    for comment, name in (
        ("unknown", "log.example/3"),
        ("in capitals", NAME.upper()),
        ("with a space behind", NAME + " "),
    ):
        body = witness.request(0, [], signed(text(9, name=name)))
        add(f"an origin {comment}", body, 0, 404, "UnknownLog", breaks="reg-witness-2")
    bad = {"breaks": "reg-witness-3"}
    add(
        "a stranger in the log's name",
        witness.request(7, [], signed(text(9), NAME, stranger)),
        2,
        403,
        "NotSigned",
        **bad,
    )
    good = grow(7, 9)
    head, line = good.rsplit("\n\n", 1)
    data = cosignature.unb64(line.split(" ")[2].strip())
    add(
        "the log's key under another name", head + "\n\n" + cosignature.line("x", b"", data), 2, 403, "NotSigned", **bad
    )
    add(
        "another root than was signed",
        good.replace(b64(merkle.root(LEAVES[:9])), b64(bytes(32))),
        2,
        403,
        "NotSigned",
        **bad,
    )
    add("another size than was signed", good.replace("\n9\n", "\n10\n"), 2, 403, "NotSigned", **bad)
    false = cosignature.line(NAME, data[:4], bytes(64))
    add("a good line and a false one", good + false, 2, 403, "NotSigned", **bad)
    add("a false line and a good one", head + "\n\n" + false + line, 2, 403, "NotSigned", **bad)
    add("a signature of 63 bytes", head + "\n\n" + cosignature.line(NAME, b"", data[:-1]), 2, 403, "NotSigned", **bad)
    add(
        "the log as its own witness",
        head + "\n\n" + cosignature.cosign(NAME, LOG, TIME, text(9)),
        2,
        403,
        "NotSigned",
        **bad,
    )
    own = cosignature.cosign(WITNESS_NAME, WITNESS, TIME, text(9))
    add("the witness's own line alone", head + "\n\n" + own, 2, 403, "NotSigned", **bad)
    by_2 = signed(text(9), NAME_2, LOG_2)
    add("signed by another log that it follows", witness.request(7, [], by_2), 2, 403, "NotSigned", **bad)
    renamed = signed(text(9), NAME, LOG_2)
    add("another log's key in the log's name", witness.request(7, [], renamed), 2, 403, "NotSigned", **bad)


def _sizes(add):
    add(
        "old is larger than the checkpoint",
        grow(5, 5).replace("old 5", "old 7", 1),
        2,
        400,
        "Shrunk",
        breaks="reg-witness-4",
    )
    add("old is larger, and nothing was cosigned", grow(0, 0).replace("old 0", "old 1", 1), 0, 400, "Shrunk",
        breaks="reg-witness-4")  # fmt: skip
    rule = {"breaks": "reg-witness-5"}
    add("old is 0, something was cosigned", grow(0, 9), 2, 409, "OldSize", **rule)
    add("old is smaller", grow(3, 9), 2, 409, "OldSize", **rule)
    add("old is larger, and below the checkpoint", grow(8, 9), 2, 409, "OldSize", **rule)
    add("old is not 0, nothing was cosigned", grow(3, 7), 0, 409, "OldSize", **rule)
    add("an older checkpoint once more", grow(3, 3), 2, 409, "OldSize", **rule)
    add("the last request once more", HISTORY[1], 2, 409, "OldSize", **rule)
    other = grow(7, 9, name=NAME_2)
    other = witness.request(7, merkle.consistency(7, LEAVES[:9]), signed(text(9, name=NAME_2), NAME_2, LOG_2))
    add("what was cosigned for another log", other, 2, 409, "OldSize", **rule)


def _proofs(add):
    rule = {"breaks": "reg-witness-6"}
    note = signed(text(9))
    proof = merkle.consistency(7, LEAVES[:9])

    def bad(comment, old, hashes, whole, before=2, flag="Proof"):
        add(comment, witness.request(old, hashes, whole), before, 422, flag, **rule)

    bad("no hash", 7, [], note)
    bad("without its last hash", 7, proof[:-1], note)
    bad("without its first hash", 7, proof[1:], note)
    bad("a hash more", 7, [*proof, proof[0]], note)
    bad("upside down", 7, proof[::-1], note)
    bad("a bit of a hash", 7, [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]], note)
    bad("the proof of another size", 7, merkle.consistency(7, LEAVES[:10]), note)
    bad("a fork", 7, merkle.consistency(7, OTHER[:9]), signed(text(9, OTHER)))
    late = LEAVES[:6] + OTHER[6:]
    bad("a fork in the last entry", 7, merkle.consistency(7, late[:9]), signed(text(9, late)))
    bad("a fork with the honest proof", 7, proof, signed(text(9, late)))
    bad("a fork of the same size", 7, [], signed(text(7, late)))
    bad("the same size and a proof", 7, [merkle.root(LEAVES[:7])], signed(text(7)))
    bad("from nothing and a proof", 0, [merkle.root(LEAVES[:3])], signed(text(3)), before=0)
    bad("no entry and a root of something", 0, [], signed(text(0, root=LEAVES[0])), before=0, flag="EmptyTree")
    bad(
        "no entry and the leaf of nothing",
        0,
        [],
        signed(text(0, root=merkle.leaf_hash(b""))),
        before=0,
        flag="EmptyTree",
    )
    bad("no entry and a proof", 0, [merkle.root([])], signed(text(0)), before=0, flag="EmptyTree")


def _two_faults(add):
    stranger = seed("stranger")
    unknown = signed(text(9, name="log.example/3"), "log.example/3", stranger)
    forged = signed(text(5), NAME, stranger)

    def both(comment, body, before, status, rule):
        add(comment, body, before, status, "Order", breaks=rule)

    both("form before origin", witness.request("07", [], unknown), 2, 400, "reg-witness-1")
    both("form before signature", witness.request(7, [bytes(31)], forged), 2, 400, "reg-witness-1")
    both("form before size", witness.request(9, [bytes(33)], signed(text(5))), 2, 400, "reg-witness-1")
    both("form before old size", witness.request("+3", [], signed(text(9))), 2, 400, "reg-witness-1")
    both(
        "origin before signature",
        witness.request(0, [], signed(text(9, name="log.example/3"))),
        2,
        404,
        "reg-witness-2",
    )
    both("origin before size", witness.request(10, [], unknown), 2, 404, "reg-witness-2")
    both("origin before proof", witness.request(0, [bytes(32)], unknown), 0, 404, "reg-witness-2")
    both("signature before size", witness.request(7, [], forged), 2, 403, "reg-witness-3")
    both("signature before old size", witness.request(3, [], forged), 2, 403, "reg-witness-3")
    both("signature before proof", witness.request(0, [bytes(32)], forged), 0, 403, "reg-witness-3")
    both("size before old size", witness.request(6, [], signed(text(5))), 2, 400, "reg-witness-4")
    both("size before proof", witness.request(7, [bytes(32)], signed(text(5))), 2, 400, "reg-witness-4")
    both("old size before proof", witness.request(3, [bytes(32)], signed(text(9))), 2, 409, "reg-witness-5")
    both("old size before a fork", witness.request(3, [], signed(text(7, OTHER))), 2, 409, "reg-witness-5")
    both("old size before the root of no entry", witness.request(0, [], signed(text(0, root=LEAVES[0]))), 2, 409,
         "reg-witness-5")  # fmt: skip


def paths():
    g = Group("witness-path", "where a witness shows the last checkpoint that it cosigned for an origin")
    for name in (NAME, NAME_2, "l\u00f6g.example"):
        g.add(name, lambda name=name: {"path": witness.checkpoint_path(name)}, origin=name)
    return g


def groups():
    return [requests(), paths()]
