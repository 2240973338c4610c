"""Cases for specs/dispute.md: whole transcripts, each cut off where it has gone wrong."""

import hashlib

import commitment
import dispute
import ed25519
import encoding
import registry
import stories
from encoding import b64, canonical, parts, sha256
from stories import ARBITRATOR, LOG, LOG_NAME, OWNER, POLICY, RESPONDENT, STRANGER, World, copy, public
from vectors import Group, Pool, accumulated, patched

NOTES = {
    "Order": ("FALSE CLAIM", "messages that come when they may not, for example answers after openings"),
    "Sequence": ("REPLAY", "a message of another place is used here"),
    "Link": ("REPLAY", "a message of another dispute, or of another course of this one, is used here"),
    "Signer": ("FORGERY", "somebody speaks for another party"),
    "OtherKey": ("REPLAY", "a message about another key"),
    "BadSignature": ("FORGERY", "a message was changed after it was signed"),
    "NotCanonical": ("MALLEABILITY", "one message has several digests"),
    "UnknownField": ("SMUGGLING", "a message carries what nobody looks at"),
    "Form": ("PARSER DIFFERENTIAL", "a malformed message is read in one's own way"),
    "Unsupported": ("DOWNGRADE", "a rule that this version does not enforce is silently left out"),
    "Attached": ("SUBSTITUTION", "what is judged is not what was named"),
    "Profile": ("DOWNGRADE", "constants of another profile are used"),
    "OtherFile": ("SUBSTITUTION", "the log shows another claim than the one that is heard"),
    "OtherPolicy": ("BIAS", "an arbitrator asks for something else than she announced"),
    "AskedLeaves": ("LUCKY BLOCKS", "leaves are picked, left out, asked twice or taken beyond the range"),
    "Answers": ("FALSE CLAIM", "an answer that is no class, or belongs to no leaf"),
    "Openings": ("LUCKY BLOCKS", "leaves are opened that were not asked, or in another order"),
    "Decide": ("DENIAL", "leaves are freed or burnt by a decision of something else"),
    "AfterTheVerdict": ("DENIAL", "leaves are burnt after the verdict is final"),
    "Miss": ("FALSE CLAIM", "an unopened or badly opened leaf counts as anything but a marked miss"),
    "Refusal": ("FALSE CLAIM", "a leaf without an answer counts as anything but a miss"),
    "GhostHit": ("FALSE CLAIM", "a ghost counts for or against"),
    "Finding": ("BIAS", "an arbitrator's fault changes the verdict, or is not seen"),
    "AuditorBits": ("BIAS", "an auditor takes fewer bits than the profile asks for"),
    "NotLogged": ("LUCKY BLOCKS", "leaves are asked that nobody can see are burnt"),
    "OffGrid": ("BOUND", "a dispute starts where the bound does not count it"),
    "Range": ("BOUND", "a range that is not whole rounds of the key's leaves"),
    "Taken": ("LUCKY BLOCKS", "leaves are asked a second time"),
    "Hidden": ("LUCKY BLOCKS", "an earlier dispute is left out, so that its leaves look free"),
    "NotCounted": ("DENIAL", "a stranger or another arbitrator burns leaves"),
    "FreedByStranger": ("LUCKY BLOCKS", "a stranger frees leaves"),
    "PriorRelease": ("FALSE CLAIM", "weights that are older than the labels are found dependent"),
    "PriorOfOther": ("DENIAL", "the release of other weights clears these"),
    "ReleaseOrder": ("BACKDATING", "a release that does not follow the key"),
    "ReleaseOfOther": ("SUBSTITUTION", "a release of another key, owner or labels"),
    "KeyOrder": ("BACKDATING", "a key that is younger than the dispute"),
    "Receipts": ("FORK", "entries are proved in different logs or at different times"),
    "Head": ("BACKDATING", "the head that earlier disputes were read from is not the log's, or is too young"),
    "OtherLog": ("FORK", "a receipt of another log"),
    "DecideReceipt": ("FORK", "a decision is shown in a log with another past"),
    "Trust": ("STAGED DISPUTE", "a dispute among friends is taken for a dispute"),
    "LogCopy": ("FORK", "the copy of the log has another past, or is too old to show anything"),
}

POOL = Pool(owner=OWNER, arbitrator=ARBITRATOR, respondent=RESPONDENT, stranger=STRANGER)
SHARED = {"objects": POOL.objects, "parties": POOL.parties, "texts": POOL.texts}


class Cases:
    """Transcripts as lists of [message, [attached], [receipts]], by name in the group's pool."""

    def __init__(self, kind, comment, **common):
        self.pool = POOL
        self.group = Group(kind, comment, **common)

    def add(self, comment, story, *flags, expect="ok", rule="", verdict=None, problem=None, findings=None, trust=None,
            log=None, full=False):  # fmt: skip
        """``problem``: the one reason why the claim is inadmissible; ``log``: a copy of the log for the auditor."""
        shown = {"transcript": [self.step(step) for step in story.steps]}
        if trust is not None:
            shown["trust"] = trust
        log_copy = None
        if log is not None:
            note, line, entries = log
            log_copy = registry.log_copy(note, line, entries)
            shown["log_copy"] = {
                "checkpoint": self.pool.text(note),
                "entries": [[kind, self.pool.signed(one)] for kind, one in entries],
                "vkey": line,
            }

        def run():
            found = dispute.judge(story.transcript(), trust, log_copy)
            wanted = "INADMISSIBLE" if problem else verdict
            if found["verdict"] != wanted or found["problems"] != ([problem] if problem else []):
                raise AssertionError(f"{comment}: {found}")
            if findings is not None and found["findings"] != sorted(findings):
                raise AssertionError(f"{comment}: {found['findings']}")
            return found if full else {name: value for name, value in found.items() if name != "opened"}

        self.group.add(comment, run, expect, flags, rule if expect != "ok" else "", **shown)

    def step(self, step):
        attached = [self.pool.signed(one) for one in step["attached"]]
        receipts = [self.pool.text(encoding.unb64(r).decode()) for r in step["receipts"]]
        return [self.pool.signed(step["message"]), attached, receipts]

    def false(self, comment, story, *flags, rule, expect="VerificationError"):
        self.add(comment, story, *flags, expect=expect, rule=rule)

    def malformed(self, comment, story, *flags, expect="FormatError"):
        self.add(comment, story, *flags, expect=expect)


def usual():
    """(world, release, h_f): an older release of a stranger, then the key, then the owner's release."""
    world = World(n=48)
    world.key_receipt = b"an independent developer knows of no key"
    world.old, world.old_model = world.release("old", STRANGER)
    world.submit("release", world.old)
    world.register()
    world.rel, world.model = world.release()
    world.submit("release", world.rel)
    return world


def begun(world, **change):
    """A story up to the logged admit."""
    release = change.pop("release", world.rel)
    story = world.bind(world.file(release, **change), world.model)
    return world.log_admit(world.admit(story))


def resigned(story, change, by=None, text=None):
    """The story with its last payload changed, and signed anew."""
    other = copy(story)
    step = other.steps.pop()
    payload, signer, _ = parts(step["message"])
    by = by or {ed25519.public(s): s for s in (OWNER, ARBITRATOR, RESPONDENT)}[signer]
    payload = canonical(patched(encoding.parse_canonical(payload), change)) if text is None else text(payload)
    other.add(commitment.sign(by, payload), step["attached"])
    return other


# --- verdicts ------------------------------------------------------------------------------------------------------


def verdicts():
    world = usual()
    c = Cases("transcript", "transcripts that an audit accepts: verdict, numbers, findings, last link, opened leaves")
    log0 = world.log.clone()
    ready = begun(world)

    dependent = world.round(world.round(copy(ready), 0, world.thief(0)), 1, world.thief(1))
    c.add("DEPENDENT: a thief, with a release", world.log_decide(world.decide(dependent, 2, "DEPENDENT")),
          verdict="DEPENDENT", findings=[])  # fmt: skip
    world.log = log0.clone()
    plain = begun(world, release=None)
    stranger = world.round(world.round(copy(plain), 0, world.stranger(0)), 1, world.stranger(1))
    c.add("NOT SHOWN: a model that knows nothing, no release",
          world.log_decide(world.decide(stranger, 2, "NOT SHOWN")), verdict="NOT SHOWN", findings=[])  # fmt: skip

    # One round, in many ways.
    world.log = log0.clone()
    short = begun(world, release=None, count=16)
    thief = world.thief(0)
    one = world.round(copy(short), 0, thief)
    c.add("NOT SHOWN: 16 leaves are too few", world.log_decide(world.decide(copy(one), 1, "NOT SHOWN")),
          verdict="NOT SHOWN", findings=[])  # fmt: skip
    marked = [i for i in range(16) if not world.labels(i)[1]]
    ghosts = [i for i in range(16) if world.labels(i)[1]]

    def answered(changes):
        return world.round(copy(short), 0, [changes.get(i, a) for i, a in enumerate(thief)])

    c.add("no answer is a miss", answered({marked[0]: None}), "Refusal", verdict="NOT SHOWN", findings=[])
    c.add("no answer to a ghost is nothing", answered({ghosts[0]: None}), "Refusal", "GhostHit", verdict="NOT SHOWN")
    c.add("no answer at all", answered(dict.fromkeys(range(16))), "Refusal", verdict="NOT SHOWN")
    c.add("a wrong answer is a miss", answered({marked[0]: (thief[marked[0]] + 1) % 1000}), verdict="NOT SHOWN")
    c.add("hits on ghosts count for nothing", answered({i: world.labels(i)[0] for i in ghosts}), "GhostHit",
          verdict="NOT SHOWN")  # fmt: skip

    def opened(comment, change, rule, *flags):
        """The round with openings changed: {index: opening or None}."""
        openings = [change.get(i, world.opening(i)) for i in range(16)]
        openings = [o for o in openings if o is not None]
        story = world.open(world.answer(world.ask(copy(short)), thief), openings=openings)
        c.add(comment, story, "Miss", *flags, verdict="NOT SHOWN", findings=[[rule, "claimant"]] * len(change))

    i, g = marked[0], ghosts[0]
    good = world.opening(i)
    opened("a leaf is not opened", {i: None}, "dis-open-3")
    opened("a ghost is not opened: a marked miss", {g: None}, "dis-open-3")
    opened("nothing is opened", dict.fromkeys(range(16)), "dis-open-3")
    opened("an input of another size", {i: good | {"inputs": [b64(world.inputs[i] + b"x")]}}, "com-open-1")
    opened("no input", {i: good | {"inputs": []}}, "com-open-1")
    opened("aux", {i: good | {"aux": b64(b"x")}}, "com-open-2")
    opened("other inputs than asked", {i: good | {"inputs": [b64(bytes(4))]}}, "com-open-3")
    opened("another leaf key", {i: good | {"k": world.keys[i + 1].hex()}}, "com-open-4")
    opened("a wrong path", {i: good | {"path": good["path"][::-1]}}, "com-open-4")
    opened("a path too short", {i: good | {"path": good["path"][1:]}}, "com-open-4")
    opened("a bad opening of a ghost: a marked miss", {g: world.opening(g) | {"path": []}}, "com-open-4")

    # Where a transcript may end.
    world.log = log0.clone()
    filed = world.file()
    c.add("it may end after file", filed, verdict="NOT SHOWN")
    c.add("after bind", world.bind(copy(filed), world.model), verdict="NOT SHOWN")
    c.add("after an admit that is not logged", world.admit(world.bind(copy(filed), world.model)), verdict="NOT SHOWN")
    c.add("after an admit that is logged", copy(short), verdict="NOT SHOWN")
    asked = world.ask(copy(short))
    misses = [["dis-open-3", "claimant"]] * 16
    c.add("after an ask: asked is burnt", asked, "Miss", verdict="NOT SHOWN", findings=misses)
    c.add("after an answer", world.answer(copy(asked), thief), "Miss", verdict="NOT SHOWN", findings=misses)
    c.add("after a round", one, verdict="NOT SHOWN", findings=[])

    # The end.
    def stop(story):
        story.say("stop", OWNER)
        return story

    def decided(comment, story, rounds, verdict, findings, *flags, logged=True, say=None):
        world.decide(story, rounds, say or verdict)
        if logged:
            world.log_decide(story)
        c.add(comment, story, *flags, verdict=verdict, findings=findings)

    world.log = log0.clone()
    long = begun(world, release=None)
    first = world.round(copy(long), 0, thief)
    admitted = world.log.clone()
    decided("she stops after a round", stop(copy(first)), 1, "NOT SHOWN", [])
    world.log = admitted.clone()
    decided("she stops before the first round", stop(copy(long)), 0, "NOT SHOWN", [])
    world.log = admitted.clone()
    decided("she stops after an ask", stop(world.ask(copy(long))), 1, "NOT SHOWN", misses, "Miss")
    early = [["dis-decide-2", "arbitrator"]]
    world.log = admitted.clone()
    decided("the arbitrator decides with range left", copy(first), 1, "NOT SHOWN", early, "Finding")
    world.log = admitted.clone()
    decided("before the first round", copy(long), 0, "NOT SHOWN", early, "Finding")
    world.log = admitted.clone()
    decided("after an ask", world.ask(copy(long)), 1, "NOT SHOWN", early + misses, "Finding", "Miss")
    wrong = [["dis-decide-3", "arbitrator"]]
    world.log = admitted.clone()
    decided("decides DEPENDENT where nothing is shown", stop(copy(first)), 1, "NOT SHOWN", wrong, "Finding",
            say="DEPENDENT")  # fmt: skip
    world.log = admitted.clone()
    decided("decides INADMISSIBLE where nothing is wrong", stop(copy(first)), 1, "NOT SHOWN", wrong, "Finding",
            say="INADMISSIBLE")  # fmt: skip
    unlogged = [["dis-decide-4", "arbitrator"]]
    decided("a decide that is not logged", stop(copy(first)), 1, "NOT SHOWN", unlogged, "Finding", logged=False)

    # A thief is DEPENDENT whatever the arbitrator says.
    world.log = log0.clone()
    again = begun(world)
    thief2 = world.round(world.round(copy(again), 0, thief), 1, world.thief(1))
    decided("decides NOT SHOWN where the rule says DEPENDENT", copy(thief2), 2, "DEPENDENT", wrong, "Finding",
            say="NOT SHOWN")  # fmt: skip
    decided("does not decide INADMISSIBLE either", copy(thief2), 2, "DEPENDENT", wrong + unlogged, "Finding",
            say="INADMISSIBLE", logged=False)  # fmt: skip
    c.add("DEPENDENT without any decide", thief2, verdict="DEPENDENT", findings=[])
    last = [world.opening(n) for n in range(16, 26)]
    partly = world.open(world.answer(world.ask(world.round(copy(again), 0, thief), 1), world.thief(1)), 1, last)
    c.add("what comes behind the leaf that fires changes nothing", partly, "Miss", verdict="DEPENDENT",
          findings=misses[:6])  # fmt: skip

    # More bits.
    trust = {
        "arbitrators": [public(ARBITRATOR)],
        "bits": 0,
        "format": "wmproto/trust@v1",
        "log": world.log.vkey,
        "owners": [public(OWNER)],
        "respondents": [public(RESPONDENT)],
    }
    c.add("under a trust file", thief2, verdict="DEPENDENT", trust=trust)
    c.add("an auditor who asks for 400 bits", thief2, "AuditorBits", verdict="NOT SHOWN", trust=trust | {"bits": 400})
    c.add(
        "for 20: never fewer than the profile", thief2, "AuditorBits", verdict="DEPENDENT", trust=trust | {"bits": 20}
    )
    c.add("for 166", thief2, "AuditorBits", verdict="DEPENDENT", trust=trust | {"bits": 166})
    c.add("for 167", thief2, "AuditorBits", verdict="DEPENDENT", trust=trust | {"bits": 167})
    world.log = log0.clone()
    policy = {"bits": 200, "suspects_log2": 40}
    strict = begun(world, release=None, policy=policy)
    strict = world.round(world.round(strict, 0, thief), 1, world.thief(1))
    c.add("a policy of 200 bits and 2^40 suspects", strict, verdict="DEPENDENT")
    world.log = log0.clone()
    stricter = begun(world, release=None, policy={"bits": 4096, "suspects_log2": 256})
    c.add("the hardest policy", world.round(stricter, 0, thief), verdict="NOT SHOWN")
    libraries = [{"digest": sha256(b"torch").hex(), "name": "torch", "version": "2.13.0"}]
    world.log = log0.clone()
    story = world.admit(world.bind(world.file(), world.model), settings=stories.SETTINGS | {"libraries": libraries})
    c.add("settings that name a library", story, verdict="NOT SHOWN")
    c.add("the respondent holds the weights", world.bind(copy(filed), world.model, holder="respondent"),
          verdict="NOT SHOWN")  # fmt: skip
    world.log = log0.clone()
    story = world.admit(world.bind(world.file(), world.model, prior=world.rel))
    c.add("an older release that is not older than the labels", world.log_admit(story), "PriorRelease",
          verdict="NOT SHOWN", findings=[])  # fmt: skip
    for field in ("arbitrators", "owners", "respondents"):
        c.add(f"a trust file that does not name the {field}", thief2, "Trust", expect="TrustError", rule="dis-trust-1",
              trust=trust | {field: [public(STRANGER)]})  # fmt: skip
    c.add("a trust file of another log", thief2, "Trust", expect="TrustError", rule="dis-trust-1",
          trust=trust | {"log": registry.vkey(LOG_NAME, ed25519.public(STRANGER))})  # fmt: skip
    c.add("the respondent need not be known before he speaks", filed, "Trust", verdict="NOT SHOWN",
          trust=trust | {"respondents": [public(STRANGER)]})  # fmt: skip
    return c.group


# --- false evidence ------------------------------------------------------------------------------------------------


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
                rounds = sum(n == "ask" for n in names)
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


def stopped(story):
    story.say("stop", OWNER)
    return story


# --- inadmissible --------------------------------------------------------------------------------------------------


def inadmissible():
    world = usual()
    c = Cases("inadmissible", "claims that may not be heard as they were filed; each has one problem, or none")
    log0 = world.log.clone()

    def fresh():
        world.log = log0.clone()
        return world

    def problem(comment, story, why, *flags, **more):
        c.add(comment, story, *flags, problem=why, **more)

    # Range.
    def ranged(comment, start, count, why, flag):
        problem(comment, fresh().file(start=start, count=count), why, flag)

    ranged("a start off the grid", 8, 16, "off the grid", "OffGrid")
    ranged("a start of 1", 1, 16, "off the grid", "OffGrid")
    ranged("no leaf", 0, 0, "not whole rounds of the key's leaves", "Range")
    ranged("half a round", 0, 8, "not whole rounds of the key's leaves", "Range")
    ranged("more leaves than the key has", 0, 64, "not whole rounds of the key's leaves", "Range")
    ranged("beyond the key's end", 32, 32, "not whole rounds of the key's leaves", "Range")
    ranged("a huge range", 0, 2**53 - 16, "not whole rounds of the key's leaves", "Range")

    # Receipts that file quotes.
    proof = "the proof leads to another root"
    other = log0.clone()
    other.entries = other.entries[::-1]
    where = other.index(world.key_entry)
    wrong = b64(log0.receipt(0))
    problem("the receipt of another entry", fresh().file(key_receipt=wrong), proof, "Receipts")
    bad = registry.Log(LOG_NAME, STRANGER)
    bad.entries = other.entries
    problem("the key's receipt is another log's", fresh().file(key_receipt=b64(bad.receipt(where))),
            "the log did not sign", "OtherLog")  # fmt: skip
    problem("no receipt", fresh().file(key_receipt=""), "not a tlog-proof", "Receipts")

    # Releases.
    def released(comment, signed, why, *flags):
        world = fresh()
        world.log.append("release", signed)
        problem(comment, world.file(signed), why, *flags)

    other_key = sha256(b"another key").hex()
    released("a release of another key", world.release(key_id=other_key)[0], "another key or beta", "ReleaseOfOther")
    released("a release of other labels", world.release(beta=other_key)[0], "another key or beta", "ReleaseOfOther")
    released("a stranger's release of this key", world.release(by=STRANGER)[0], "another owner", "ReleaseOfOther")
    released("a release that names another owner", world.release(owner=public(STRANGER))[0],
             "signed by another than its owner", "ReleaseOfOther")  # fmt: skip
    released("a release whose h_f does not follow", world.release(model=other_key)[0], "h_f does not follow",
             "ReleaseOfOther")  # fmt: skip
    released("a release that quotes no receipt of the key", world.release(key_receipt="")[0], "not a tlog-proof",
             "ReleaseOfOther")  # fmt: skip
    payload, signer, signature = parts(world.rel)
    forged = encoding.envelope(payload, signer, signature[:32] + bytes(32))
    released("a release with a bad signature", forged, "the equation does not hold", "ReleaseOfOther")

    # Admission.
    def admitted(story, log=None, **change):
        return world.log_admit(world.admit(story, **change), log)

    def custom(story, entries):
        """A log that holds entries as its operator likes, with the admit of the story for None."""
        log = registry.Log(LOG_NAME, LOG)
        log.entries = [("admit", story.admitted) if e is None else e for e in entries]
        return log

    old, key, rel = log0.entries
    story = fresh().ask(world.admit(world.bind(world.file(), world.model)))
    problem("admit was not logged before the first ask", story, "admit was not logged before the first leaf was asked",
            "NotLogged")  # fmt: skip
    story = fresh().admit(world.bind(world.file(), world.model), head=world.log.checkpoint(0))
    world.log_admit(story, custom(story, [old, None, key]))
    problem("the key is younger than admit", story, "the key is not before admit", "KeyOrder")
    story = fresh().admit(world.bind(world.file(world.rel), world.model))
    world.log_admit(story, custom(story, [rel, old, key, None]))
    problem("the release is older than the key", story, "the release is not between key and admit", "ReleaseOrder")
    story = fresh().admit(world.bind(world.file(world.rel), world.model), head=world.log.checkpoint(2))
    world.log_admit(story, custom(story, [old, key, None, rel]))
    problem("the release is younger than admit", story, "the release is not between key and admit", "ReleaseOrder")
    story = admitted(fresh().bind(world.file(), world.old_model, world.old))
    problem("the weights are older than the labels", story, "the weights are older than the labels", "PriorRelease")
    world.round(story, 0, world.thief(0))
    world.round(story, 1, world.thief(1))
    world.log_decide(world.decide(story, 2, "INADMISSIBLE"))
    problem("even if every mark is in them", story, "the weights are older than the labels", "PriorRelease",
            findings=[])  # fmt: skip
    story = admitted(fresh().bind(world.file(), world.old_model, world.old))
    world.log_decide(world.decide(story, 0, "INADMISSIBLE"))
    problem("and the arbitrator need not ask", story, "the weights are older than the labels", "PriorRelease",
            findings=[])  # fmt: skip
    story = fresh().admit(world.bind(world.file(), world.model))
    young = world.log.clone()
    young.append("admit", story.admitted)
    other_head = registry.Log(LOG_NAME, STRANGER)
    other_head.entries = list(log0.entries)
    story = admitted(fresh().bind(world.file(), world.model), head=young.checkpoint())
    problem("the head is younger than admit", story, "the head is younger than admit", "Head")
    story = admitted(fresh().bind(world.file(), world.model), head=other_head.checkpoint())
    problem("the head is another log's", story, "the log did not sign", "Head", "OtherLog")
    story = admitted(fresh().bind(world.file(), world.model), head="")
    problem("no head", story, "not a note", "Head")

    def received(comment, change, why, *flags, release=None):
        story = fresh().admit(world.bind(world.file(release), world.model))
        log = world.log.clone()
        log.append("admit", story.admitted)
        story.logged(change(log, [log.index(leaf) for leaf in story.named]))
        problem(comment, story, why, *flags)

    received("a receipt is missing", lambda log, at: [log.receipt(at[0])], "a receipt for each entry", "Receipts")
    received("a receipt too many", lambda log, at: [log.receipt(i) for i in [*at, 0]], "a receipt for each entry",
             "Receipts")  # fmt: skip
    received("receipts in another order", lambda log, at: [log.receipt(i) for i in at[::-1]], proof, "Receipts")
    received("under two checkpoints", lambda log, at: [log.receipt(at[0]), log.receipt(at[1], 3)],
             "different checkpoints", "Receipts")  # fmt: skip

    def strange(log, at):
        log.seed, log.key = STRANGER, (LOG_NAME, ed25519.public(STRANGER))
        return [log.receipt(i) for i in at]

    received("of another log", strange, "the log did not sign", "OtherLog")
    received("nonsense", lambda _log, at: [b"x"] * len(at), "not a tlog-proof", "Receipts")

    # What is taken.
    def first(count=16, arbitrator=ARBITRATOR, seed=None, **change):
        """An earlier dispute over [0, count) in a fresh log: its admit."""
        story = fresh().bind(world.file(count=count, arbitrator=arbitrator, **change), world.model)
        return admitted(story, seed=seed)

    def then(entries, start, count=16, **change):
        """A dispute from ``start`` on, whose admit lists ``entries``."""
        return admitted(world.bind(world.file(start=start, count=count), world.model), earlier=entries, **change)

    one = first()
    e = [("admit", one.admitted)]
    c.add("a second dispute above the first", then(e, 16), "Taken", verdict="NOT SHOWN")
    first()
    problem("a second dispute over the same leaves", then(e, 0), "taken", "Taken")
    one = first(count=32)
    e = [("admit", one.admitted)]
    problem("leaves that were offered are taken, asked or not", then(e, 16), "taken", "Taken")
    one = first(count=32)
    world.log_decide(world.decide(stopped(world.round(one, 0, world.thief(0))), 1, "NOT SHOWN"))
    e = [("admit", one.admitted), ("decide", one.decided)]
    kept = world.log.clone()
    c.add("a decide frees what was not asked", then(e, 16), "Taken", verdict="NOT SHOWN")
    world.log = kept.clone()
    problem("and no more than that", then(e, 0), "taken", "Taken")
    world.log = kept.clone()
    problem("an earlier decide is left out of the list, and so is what it freed", then(e[:1], 16), "taken", "Taken")
    world.log = kept.clone()
    problem("a decide without its admit does not count", then(e[1:], 0), "an earlier entry that does not count",
            "NotCounted")  # fmt: skip
    one = first(seed=STRANGER)
    e = [("admit", one.admitted)]
    problem("an admit of another arbitrator than file names burns nothing, and is not listed", then(e, 0),
            "an earlier entry that does not count", "NotCounted")  # fmt: skip
    first(seed=STRANGER)
    c.add("so the leaves are free", then([], 0), "NotCounted", verdict="NOT SHOWN")
    one = first(seed=None, arbitrator=STRANGER)
    e = [("admit", one.admitted)]
    problem("but an admit of any arbitrator whom the owner addressed does", then(e, 0), "taken", "Taken")
    one = first()
    world.log.entries.pop()
    later = fresh().bind(world.file(start=16, count=16), world.model)
    world.admit(later, earlier=[("admit", one.admitted)])
    world.log_admit(later, custom(later, [*log0.entries, None, ("admit", one.admitted)]))
    problem("an earlier admit that stands above this one", later, "the earlier entries are out of order", "Taken")
    one = first(count=32)
    world.log_decide(world.decide(stopped(one), 0, "NOT SHOWN"))
    e = [("admit", one.admitted), ("decide", one.decided)]
    swapped = fresh().bind(world.file(count=16), world.model)
    world.admit(swapped, earlier=e)
    world.log_admit(swapped, custom(swapped, [*log0.entries, *e[::-1], None]))
    problem("a decide that stands below its admit", swapped, "the earlier entries are out of order", "Taken")

    # With a copy of the log.
    def copied(log):
        return log.checkpoint(), log.vkey, log.entries

    one = first()
    second = then([("admit", one.admitted)], 16)
    c.add("a copy of the log shows that nothing was hidden", second, "Hidden", verdict="NOT SHOWN",
          log=copied(world.log))  # fmt: skip
    grown = world.log.clone()
    grown.append("release", world.release("later")[0])
    c.add("so does a younger copy", second, "Hidden", verdict="NOT SHOWN", log=copied(grown))
    first()
    hides = then([], 0)
    problem("a copy of the log shows an earlier admit that was hidden", hides, "admit hides an earlier entry", "Hidden",
            log=copied(world.log))  # fmt: skip
    c.add("without a copy nobody sees it", hides, "Hidden", verdict="NOT SHOWN")
    short = registry.Log(LOG_NAME, LOG)
    short.entries = world.log.entries[:-1]
    false = {"expect": "VerificationError"}
    c.add("a copy that is older than the dispute", hides, "LogCopy", log=copied(short), rule="dis-log-1", **false)
    fork = world.log.clone()
    fork.entries[0] = ("release", world.release("another")[0])
    c.add("a copy with another past", hides, "LogCopy", log=copied(fork), rule="dis-log-3", **false)
    torn = world.log.checkpoint(), world.log.vkey, world.log.entries[1:]
    c.add("a copy that lacks an entry", hides, "LogCopy", log=torn, expect="InclusionError", rule="reg-copy-3")
    theirs = registry.Log(LOG_NAME, STRANGER)
    theirs.entries = world.log.entries
    c.add("a copy of another log", hides, "LogCopy", "OtherLog", log=copied(theirs), expect="SignatureError",
          rule="reg-note-3")  # fmt: skip
    return c.group


# --- taken, links --------------------------------------------------------------------------------------------------


def taken():
    world = usual()
    c = Cases(
        "taken",
        "which leaves of the key are taken after these entries of the log, [type, object] in its order, and which "
        "entries count",
        key_object=None,
        vkey=world.log.vkey,
    )
    c.group.common["key_object"] = c.pool.signed(world.signed)
    log0 = world.log.clone()

    def admit(start=0, count=16, arbitrator=ARBITRATOR, seed=None, **change):
        world.log = log0.clone()
        story = world.bind(world.file(start=start, count=count, arbitrator=arbitrator, **change), world.model)
        return world.admit(story, seed=seed)

    def decide(story, rounds, seed=None):
        other = copy(story)
        world.decide(other, rounds, "NOT SHOWN", seed=seed)
        return "decide", other.decided

    def add(comment, entries, free, *flags):
        shown = [[kind, c.pool.signed(one)] for kind, one in entries]

        def run():
            found, counted = dispute.taken(entries, world.key, world.log.vkey)
            if found != free:
                raise AssertionError(f"{comment}: {found}")
            return {"counted": [leaf.hex() for leaf in counted], "free": found}

        c.group.add(comment, run, flags=flags, entries=shown)

    one, two = admit(count=32), admit(start=16)
    a, b = ("admit", one.admitted), ("admit", two.admitted)
    add("nothing", [], 0)
    add("an admit", [a], 32, "Taken")
    add("a decide after two rounds", [a, decide(one, 2)], 32, "Taken")
    add("after one round", [a, decide(one, 1)], 16, "Taken")
    add("before the first", [a, decide(one, 0)], 0, "Taken")
    add("a decide of more rounds than were offered takes no more", [a, decide(one, 5)], 32, "Taken")
    add("only the first decide counts", [a, decide(one, 1), decide(one, 2)], 16, "Taken")
    add("even if the second frees more", [a, decide(one, 2), decide(one, 1)], 32, "Taken")
    add("a decide below its admit", [decide(one, 1), a], 32, "Taken")
    add("the same admit twice", [a, a], 32, "Taken")
    add("a stranger's decide", [a, decide(one, 0, STRANGER)], 32, "FreedByStranger")
    add("a stranger's decide first, then the arbitrator's", [a, decide(one, 0, STRANGER), decide(one, 1)], 16,
        "FreedByStranger")  # fmt: skip
    add("the owner's decide", [a, decide(one, 0, OWNER)], 32, "FreedByStranger")
    add("two admits: the largest end", [a, b], 32, "Taken")
    add("each decide shortens its own", [a, b, decide(one, 0)], 32, "Taken")
    add("both decided", [a, decide(one, 1), b, decide(two, 0)], 16, "Taken")
    stranger = admit(seed=STRANGER)
    add("an admit by another than file names", [("admit", stranger.admitted)], 0, "NotCounted")
    add("and its decide", [("admit", stranger.admitted), decide(stranger, 1, STRANGER)], 0, "NotCounted")
    friend = admit(arbitrator=STRANGER)
    add("another arbitrator whom the owner addressed", [("admit", friend.admitted)], 16, "Taken")
    false_file = world.admit(world.bind(world.file(seed=STRANGER), world.model))
    add("a file that the owner has not signed", [("admit", false_file.admitted)], 0, "NotCounted")
    elsewhere = admit(log=registry.vkey("log.example/2", ed25519.public(LOG)))
    add("a file that is addressed to another log", [("admit", elsewhere.admitted)], 0, "NotCounted")
    far = admit(start=0, count=2**40)
    add("a count beyond the key is believed: it is the owner's own harm", [("admit", far.admitted)], 2**40, "Taken")
    payload, signer, signature = parts(one.admitted)
    forged = encoding.envelope(payload, signer, signature[:32] + bytes(32))
    add("an admit with a bad signature", [("admit", forged)], 0, "NotCounted")
    add("an admit that is logged as a release", [("release", one.admitted)], 0, "NotCounted")
    add("a key and a release", [("key", world.signed), ("release", world.rel)], 0)
    return c.group


def links():
    g = Group("link", "links of the chain: payload, signer and signature after `previous` (empty for the first), and "
                      "what admit's receipts make of a link")  # fmt: skip
    one = commitment.sign(OWNER, canonical({"n": 0}))
    payload, signer, signature = parts(one)
    for previous in (b"", bytes(32), sha256(b"x")):
        steps = {"link": dispute.link(previous, one).hex()}
        g.add("a link", lambda s=steps: s, previous=previous.hex(), payload=payload.decode(), keyid=signer.hex(),
              sig=signature.hex())  # fmt: skip
    for receipts in ([b"a"], [b"a", b"b"], [b"ab"], [b""]):
        steps = {"link": dispute.link_logged(bytes(32), receipts).hex()}
        g.add(
            f"{len(receipts)} receipts",
            lambda s=steps: s,
            previous=bytes(32).hex(),
            receipts=[r.hex() for r in receipts],
        )
    g.add("digest of a policy", lambda: {"digest": dispute.policy_digest(POLICY).hex()}, policy=POLICY)
    suspect = dispute.suspect_id(bytes(32), stories.SETTINGS).hex()
    g.add("a suspect", lambda: {"suspect": suspect}, model=bytes(32).hex(), settings=stories.SETTINGS)
    return g


# --- accumulated ---------------------------------------------------------------------------------------------------


def plays():
    """Many disputes by every party's rule, each in the log of the ones before."""
    transcripts, verdicts, texts = hashlib.sha256(), hashlib.sha256(), []
    for w in range(4):
        world = World(n=64, classes=(1000, 1000, 4096, 300)[w], name=f"play {w}")
        world.register()
        release, _ = world.release(f"play {w}")
        world.submit("release", release)
        start, earlier = 0, []
        for count, number in ((32, 5 * w), (16, 5 * w + 2), (64, 5 * w + 1)):
            count = min(count, 64 - start)
            if not count:
                continue
            told = stories.play(number, world, start, count, earlier, release if w % 2 else None)
            story, verdict, earlier, start = told
            transcripts.update(story.transcript())
            texts.append(verdict)
            for n in range(1, len(story.steps) + 1):
                cut = dispute.Story(world.key_id, story.steps[:n])
                verdicts.update(line(dispute.judge(cut.transcript())))
                if story.steps[n - 1]["receipts"]:
                    cut.steps[-1] = cut.steps[-1] | {"receipts": []}
                    verdicts.update(line(dispute.judge(cut.transcript())))
    return [
        accumulated("plays-accumulated", "PLAYS", transcripts, verdicts=texts),
        accumulated("prefixes-accumulated", "PREFIXES", verdicts),
    ]


def line(found):
    numbers = [found[name] for name in ("leaves", "marked", "hits", "ghosts", "ghost_hits", "evidence_log2")]
    rules = ",".join(rule for rule, _ in found["findings"])
    words = [found["verdict"], *numbers, len(found["problems"]), rules, found["link"]]
    return (" ".join(map(str, words)) + "\n").encode()


def groups():
    return [links(), taken(), verdicts(), false_evidence(), inadmissible(), *plays()]
