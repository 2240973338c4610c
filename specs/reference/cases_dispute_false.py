"""Cases for specs/dispute.md: transcripts that are false evidence; each fails in its last step, in one way."""

import dispute
import encoding
import registry
from encoding import b64, parts
from stories import LOG, LOG_NAME, OWNER, RESPONDENT, STRANGER, copy
from transcripts import Cases, begun, resigned, stopped, usual


def false_evidence():
    world = usual()
    c = Cases("false", "transcripts that are false evidence or malformed: each fails in its last step, in one way")
    log0 = world.log.clone()
    fresh = "00" * 32

    def messages():
        """(name, story that ends with that message)"""
        world.log = log0.clone()
        story = world.file(count=16)
        yield "file", copy(story)
        yield "bind", copy(world.bind(story, world.model))
        yield "admit", copy(world.admit(story))
        world.log_admit(story)
        yield "ask", copy(world.ask(story))
        yield "answer", copy(world.answer(story, world.thief(0)))
        yield "open", copy(world.open(story))
        story.say("stop", OWNER)
        yield "stop", copy(story)
        yield "decide", copy(world.decide(story, 1, "NOT SHOWN"))

    ends = dict(messages())
    owner = {"file": "dis-file-4"}
    for name, story in ends.items():
        n = len(story.steps)
        c.false(f"{name}: another seq", resigned(story, {"predicate.seq": n}), "Sequence", rule="dis-chain-2")
        c.false(f"{name}: another link", resigned(story, {"predicate.previous": fresh}), "Link", rule="dis-chain-2")
        if name != "file":
            c.false(f"{name}: no link", resigned(story, {"predicate.previous": None}), "Link", rule="dis-chain-2")
            about = {"subject.0.digest.sha256": fresh}
            c.false(f"{name}: about another key", resigned(story, about), "OtherKey", rule="dis-chain-5")
        if name != "bind":
            c.false(f"{name}: signed by a stranger", resigned(story, {}, STRANGER), "Signer", expect="SignatureError",
                    rule=owner.get(name, "dis-chain-3"))  # fmt: skip
        bad = copy(story)
        step = bad.steps.pop()
        payload, signer, signature = parts(step["message"])
        wrong = signature[:-1] + bytes([signature[-1] ^ 1])
        bad.add(encoding.envelope(payload, signer, signature[:32] + bytes(32)), step["attached"])
        if wrong == signature:
            raise AssertionError
        c.false(f"{name}: a bad signature", bad, "BadSignature", expect="SignatureError", rule="enc-ed25519-2")
        c.malformed(f"{name}: white space", resigned(story, {}, text=lambda p: p.replace(b",", b", ", 1)),
                    "NotCanonical")  # fmt: skip
        c.malformed(f"{name}: an unknown field", resigned(story, {"predicate.x": 1}), "UnknownField")
        c.malformed(f"{name}: a second subject", resigned(story, {"subject": [
            {"digest": {"sha256": world.key_id.hex()}, "name": "key"},
            {"digest": {"sha256": fresh}, "name": "root"},
        ]}), "Form")  # fmt: skip
        c.malformed(f"{name}: the subject has another name", resigned(story, {"subject.0.name": "root"}), "Form")
        attached = copy(story)
        attached.steps[-1] = attached.steps[-1] | {"attached": [*attached.steps[-1]["attached"], world.old]}
        rule = {"file": "dis-file-2", "bind": "dis-bind-2", "admit": "dis-admit-4"}.get(name, "dis-chain-4")
        if name != "admit":
            c.false(f"{name}: something is attached that is not named", attached, "Attached", rule=rule)

    # Order.
    order = [
        ("a bind comes first", [], "bind"),
        ("two files", ["file"], "file"),
        ("admit without bind", ["file"], "admit"),
        ("ask without admit", ["file", "bind"], "ask"),
        ("answer without ask", ["file", "bind", "admit"], "answer"),
        ("open without answer", ["file", "bind", "admit", "ask"], "open"),
        ("a second answer", ["file", "bind", "admit", "ask", "answer"], "answer"),
        ("a second open", ["file", "bind", "admit", "ask", "answer", "open"], "open"),
        ("ask before the round is opened", ["file", "bind", "admit", "ask"], "ask"),
        ("two stops", ["file", "bind", "admit", "stop"], "stop"),
        ("stop before admit", ["file", "bind"], "stop"),
        ("decide before admit", ["file", "bind"], "decide"),
        ("ask after stop", ["file", "bind", "admit", "stop"], "ask"),
        ("two decides", ["file", "bind", "admit", "ask", "answer", "open", "stop", "decide"], "decide"),
        ("something after decide", ["file", "bind", "admit", "ask", "answer", "open", "stop", "decide"], "ask"),
    ]

    def told(names):
        """A story of these messages, each well chained."""
        world.log = log0.clone()
        story = dispute.Story(world.key_id)
        for name in names:
            if name == "file":
                new = world.file()
                if story.steps:
                    story.say("file", OWNER, [world.signed], **last_fields(new))
                else:
                    story = new
            elif name == "bind":
                world.bind(story, world.model) if story.steps else story.say(
                    "bind", RESPONDENT, **last_fields(ends["bind"])
                )
            elif name == "admit":
                world.admit(story)
                if "bind" in names:
                    world.log_admit(story)
            elif name == "ask":
                _with(story)
                world.ask(story)
            elif name == "answer":
                world.answer(story, world.thief(0))
            elif name == "open":
                world.open(story)
            elif name == "stop":
                story.say("stop", OWNER)
            else:
                _with(story)
                rounds = sum(n == "ask" for n in names[: names.index("decide")])
                world.decide(story, rounds, "NOT SHOWN")
        return story

    def _with(story):
        if not hasattr(story, "admit_entry"):
            story.admit_entry = bytes(32)

    for comment, names, last in order:
        c.false(comment, told([*names, last]), "Order", rule="dis-chain-1")
    world.log = log0.clone()
    final = begun(world, count=48)
    for r in range(2):
        world.round(final, r, world.thief(r))
    c.false("ask after the verdict is final", world.ask(final, 2), "AfterTheVerdict", rule="dis-chain-1")
    for name in ("file", "bind", "ask", "stop"):
        story = copy(ends[name])
        story.logged([b"a receipt"])
        c.false(f"{name}: a receipt where nothing was logged", story, "Order", rule="dis-chain-1")
    world.log = log0.clone()
    forgot = world.ask(world.log_admit(world.admit(world.bind(world.file(), world.model))))
    step = forgot.steps[3]["message"]
    forgot.steps = forgot.steps[:3]
    forgot.steps[2] = forgot.steps[2] | {"receipts": forgot.steps[2]["receipts"][::-1]}
    forgot.add(step)
    c.false("admit's receipts in another order than they were chained", forgot, "Link", rule="dis-chain-2")

    # file
    file = ends["file"]

    def filed(**change):
        return resigned(file, {"predicate." + k: v for k, v in change.items()})

    for access in "TBH":
        c.malformed(f"access {access}", filed(access=access), "Unsupported", expect="UnsupportedError")
    c.malformed("access that does not exist", filed(access="X"), "Form")
    c.malformed("time evidence", filed(time_evidence=[b64(b"x")]), "Unsupported", expect="UnsupportedError")
    c.malformed("another profile", filed(profile="wmproto/2"), "Profile")
    with_release = world.file(world.rel)
    c.malformed("a release without its receipt", resigned(with_release, {"predicate.release_receipt": None}), "Form")
    c.malformed("a receipt without its release", filed(release_receipt=""), "Form")
    c.malformed("a log that is no key", filed(log="log.example/1"), "Form")
    c.malformed("a negative start", filed(start=-16), "Form")
    c.malformed("a start that is text", filed(start="0"), "Form")
    c.malformed("a suspect without a word", filed(suspect=""), "Form")
    c.false("the key's entry is another", filed(key_entry=fresh), "Attached", rule="dis-file-2")
    nothing = copy(file)
    nothing.steps[0] = nothing.steps[0] | {"attached": []}
    c.false("no key statement", nothing, "Attached", rule="dis-file-2")
    other = resigned(file, {"subject.0.digest.sha256": fresh})
    c.false("names another key than it attaches", other, "OtherKey", rule="dis-file-3")
    world.log = log0.clone()
    twice = world.file(world.rel)
    twice.steps[0] = twice.steps[0] | {"attached": twice.steps[0]["attached"][::-1]}
    c.false("key and release exchanged", twice, "Attached", rule="dis-file-2")

    # bind
    bind = ends["bind"]
    for field in ("adapter", "map"):
        c.malformed(f"bind: {field}", resigned(bind, {f"predicate.{field}": "x"}), "Unsupported",
                    expect="UnsupportedError")  # fmt: skip
    c.malformed("bind: another holder", resigned(bind, {"predicate.holder": "claimant"}), "Form")
    c.malformed("bind: no h_f", resigned(bind, {"predicate.model": None}), "Form")
    world.log = log0.clone()
    c.false("bind: an older release of other weights", world.bind(world.file(), world.model, world.old),
            "PriorOfOther", rule="dis-bind-3")  # fmt: skip
    c.false("bind: an older release that is not attached", world.bind(world.file(), world.old_model, world.old,
            attached=[]), "Attached", rule="dis-bind-2")  # fmt: skip

    # admit
    admit = ends["admit"]
    other_file = parts(world.file(count=32).file)
    envelope = encoding.envelope(*other_file)
    c.false("admit: another file", resigned(admit, {"predicate.file": envelope}), "OtherFile", rule="dis-admit-2")
    c.false("admit: a policy of more bits than announced", resigned(admit, {"predicate.policy.bits": 200}),
            "OtherPolicy", rule="dis-admit-3")  # fmt: skip
    c.malformed("admit: known answers", resigned(admit, {"predicate.known_answers": [fresh]}), "Unsupported",
                expect="UnsupportedError")  # fmt: skip
    c.malformed("admit: a policy of fewer suspects", resigned(admit, {"predicate.policy.suspects_log2": 23}), "Form")
    c.malformed("admit: a policy of 4,097 bits", resigned(admit, {"predicate.policy.bits": 4097}), "Form")
    for field, value in [("batch", 2), ("dtype", "float64"), ("threads", 2)]:
        c.malformed(f"admit: {field} {value}", resigned(admit, {f"predicate.settings.{field}": value}), "Form")
    c.false("admit: an earlier entry that is not attached", resigned(admit, {"predicate.earlier": [fresh]}), "Attached",
            rule="dis-admit-4")  # fmt: skip

    # ask
    ask = ends["ask"]
    leaves = encoding.parse_canonical(parts(ask.steps[-1]["message"])[0])["predicate"]["leaves"]

    def asked(comment, new, rule="dis-ask-1"):
        c.false(comment, resigned(ask, {"predicate.leaves": new}), "AskedLeaves", rule=rule)

    asked("ask: 15 leaves", leaves[:15])
    asked("ask: no leaf", [])
    asked("ask: the second round first", [one | {"index": one["index"] + 16} for one in leaves])
    asked("ask: two leaves exchanged", [leaves[1], leaves[0], *leaves[2:]])
    asked("ask: a leaf twice", [leaves[0], leaves[0], *leaves[2:]])
    asked("ask: a leaf left out", [*leaves[:15], leaves[15] | {"index": 16}])
    c.malformed("ask: 17 leaves", resigned(ask, {"predicate.leaves": [*leaves, leaves[0] | {"index": 16}]}), "Form")
    c.malformed("ask: an index that is text", resigned(ask, {"predicate.leaves.0.index": "0"}), "Form")
    story = copy(ends["open"])
    c.false("ask: beyond the range", world.ask(story, 1), "AskedLeaves", rule="dis-ask-2")
    world.log = log0.clone()
    long = world.round(begun(world, release=None), 0, world.stranger(0))
    c.false("ask: the first round again", world.ask(long, 0), "AskedLeaves", rule="dis-ask-1")

    # answer
    answer = ends["answer"]

    def answers(comment, change, *, malformed=False):
        given = world.thief(0)
        story = resigned(answer, {"predicate.answers": change(given)})
        if malformed:
            c.malformed(comment, story, "Form")
        else:
            c.false(comment, story, "Answers", rule="dis-answer-1")

    answers("answer: 15 answers", lambda a: a[:15])
    answers("answer: none", lambda _: [])
    answers("answer: a class that is not there", lambda a: [*a[:15], 1000])
    answers("answer: a huge class", lambda a: [2**53 - 1, *a[1:]])
    answers("answer: 17 answers", lambda a: [*a, 0], malformed=True)
    answers("answer: -1", lambda a: [-1, *a[1:]], malformed=True)
    answers("answer: a class's name", lambda a: ["0", *a[1:]], malformed=True)
    answers("answer: true", lambda a: [True, *a[1:]], malformed=True)

    # open
    opens = ends["open"]
    listed = [world.opening(i) for i in range(16)]

    def openings(comment, change):
        c.false(comment, resigned(opens, {"predicate.openings": change}), "Openings", rule="dis-open-1")

    openings("open: two openings exchanged", [listed[1], listed[0]])
    openings("open: an opening twice", [listed[0], listed[0]])
    openings("open: a leaf that was not asked", [*listed[:1], world.opening(16)])
    c.malformed("open: 17 openings", resigned(opens, {"predicate.openings": [listed[0]] * 17}), "Form")
    c.malformed("open: an opening without path", resigned(opens, {"predicate.openings": [
        {k: v for k, v in listed[0].items() if k != "path"}
    ]}), "Form")  # fmt: skip

    # decide
    decide = ends["decide"]
    c.false("decide: another admit", resigned(decide, {"predicate.admit": fresh}), "Decide", rule="dis-decide-1")
    c.false("decide: a round too few", resigned(decide, {"predicate.rounds": 0}), "Decide", rule="dis-decide-1")
    c.false("decide: a round too many", resigned(decide, {"predicate.rounds": 2}), "Decide", rule="dis-decide-1")
    for word in ("OBSTRUCTED", "MARK ABSENT", "dependent", ""):
        c.malformed(f"decide: verdict {word!r}", resigned(decide, {"predicate.verdict": word}), "Form")

    # decide's receipts
    world.log = log0.clone()
    base = world.decide(stopped(begun(world, release=None)), 0, "NOT SHOWN")
    before = world.log.clone()
    entry = registry.entry_leaf("decide", base.decided)
    after = before.clone()
    after.append("decide", base.decided)

    def received(comment, receipts, rule, *flags, expect="InclusionError"):
        story = copy(base)
        story.logged(receipts)
        c.false(comment, story, "DecideReceipt", *flags, expect=expect, rule=rule)

    d, a = after.index(entry), after.index(base.admit_entry)
    received("decide's receipt without admit's", [after.receipt(d)], "dis-decide-4")
    received("in the other order", [after.receipt(a), after.receipt(d)], "enc-tree-3")
    more = after.clone()
    more.append("release", world.release("more")[0])
    received("under two checkpoints", [more.receipt(d), after.receipt(a)], "dis-decide-5")
    moved = registry.Log(LOG_NAME, LOG)
    moved.entries = [*before.entries[:a], ("decide", base.decided), before.entries[a]]
    received("decide stands where admit was shown", [moved.receipt(a), moved.receipt(a + 1)], "dis-decide-5")
    shifted = registry.Log(LOG_NAME, LOG)
    shifted.entries = [("release", world.release("more")[0]), *after.entries]
    received("a log with another past", [shifted.receipt(d + 1), shifted.receipt(a + 1)], "dis-decide-5")
    inside = registry.Log(LOG_NAME, LOG)
    inside.entries = [("decide", base.decided), *before.entries[1:], ("release", world.rel), ("release", world.old)]
    received("decide before admit", [inside.receipt(0), inside.receipt(a)], "dis-decide-5")
    stranger = registry.Log(LOG_NAME, STRANGER)
    stranger.entries = after.entries
    received("of another log", [stranger.receipt(d), stranger.receipt(a)], "reg-note-3", "OtherLog",
             expect="SignatureError")  # fmt: skip
    c.malformed("decide's receipts are no receipts", _received(base, [b"x", b"y"]), "DecideReceipt")

    # The file itself.
    world.log = log0.clone()
    c.malformed("a transcript in which nothing is said", dispute.Story(world.key_id), "Form")
    key_message = dispute.Story(world.key_id)
    key_message.add(world.signed)
    c.malformed("a key statement for a message", key_message, "Form")
    return c.group


def _received(story, receipts):
    story = copy(story)
    story.logged(receipts)
    return story


def last_fields(story):
    """Fields of the last message, without its place."""
    message = encoding.parse_canonical(parts(story.steps[-1]["message"])[0])["predicate"]
    return {k: v for k, v in message.items() if k not in ("previous", "seq")}
