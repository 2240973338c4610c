"""Cases for specs/dispute.md: verdicts of whole transcripts, what is taken, links, and many disputes as one digest."""

import hashlib

import commitment
import dispute
import ed25519
import encoding
import registry
import stories
import transcripts
from cases_dispute_false import false_evidence
from cases_dispute_problems import inadmissible
from encoding import b64, canonical, parts, sha256
from stories import ARBITRATOR, LOG, LOG_NAME, OWNER, POLICY, RESPONDENT, STRANGER, World, copy, public
from transcripts import POOL, Cases, begun, usual
from vectors import Group, accumulated

NOTES = transcripts.NOTES
SHARED = {"objects": POOL.objects, "parties": POOL.parties, "texts": POOL.texts}


def verdicts():
    world = usual()
    c = Cases("transcript", "transcripts that an audit accepts: verdict, numbers, findings, last link, opened leaves")
    log0 = world.log.clone()
    ready = begun(world)

    dependent = world.round(world.round(copy(ready), 0, world.thief(0)), 1, world.thief(1))
    c.add("DEPENDENT: a thief, with a release", world.log_decide(world.decide(dependent, 2, "DEPENDENT")),
          full=True, verdict="DEPENDENT", findings=[])  # fmt: skip
    world.log = log0.clone()
    plain = begun(world, release=None)
    stranger = world.round(world.round(copy(plain), 0, world.stranger(0)), 1, world.stranger(1))
    world.log_decide(world.decide(stranger, 2, "NOT SHOWN"))
    comment = "NOT SHOWN: a model that knows nothing, no release"
    c.add(comment, stranger, full=True, verdict="NOT SHOWN", findings=[])

    # One round, in many ways.
    world.log = log0.clone()
    short = begun(world, release=None, count=16)
    thief = world.thief(0)
    one = world.round(copy(short), 0, thief)
    c.add("NOT SHOWN: 16 leaves are too few", world.log_decide(world.decide(copy(one), 1, "NOT SHOWN")),
          full=True, verdict="NOT SHOWN", findings=[])  # fmt: skip
    marked = [i for i in range(16) if not world.labels(i)[1]]
    ghosts = [i for i in range(16) if world.labels(i)[1]]

    def answered(changes):
        return world.round(copy(short), 0, [changes.get(i, a) for i, a in enumerate(thief)])

    c.add("no answer is a miss", answered({marked[0]: None}), "Refusal", full=True, verdict="NOT SHOWN", findings=[])
    c.add("no answer to a ghost is nothing", answered({ghosts[0]: None}), "Refusal", "GhostHit", verdict="NOT SHOWN")
    c.add("no answer at all", answered(dict.fromkeys(range(16))), "Refusal", verdict="NOT SHOWN")
    c.add("a wrong answer is a miss", answered({marked[0]: (thief[marked[0]] + 1) % 1000}), verdict="NOT SHOWN")
    c.add("hits on ghosts count for nothing", answered({i: world.labels(i)[0] for i in ghosts}), "GhostHit",
          full=True, verdict="NOT SHOWN")  # fmt: skip

    def opened(comment, change, rule, *flags):
        """The round with openings changed: {index: opening or None}."""
        openings = [change.get(i, world.opening(i)) for i in range(16)]
        openings = [o for o in openings if o is not None]
        story = world.open(world.answer(world.ask(copy(short)), thief), openings=openings)
        c.add(comment, story, "Miss", *flags, full=len(change) == 1, verdict="NOT SHOWN",
              findings=[[rule, "claimant"]] * len(change))  # fmt: skip

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
    misses, nobody = [["dis-open-3", "claimant"]] * 16, [["dis-open-3", "unknown"]] * 16
    c.add("after an ask: asked is burnt", asked, "Miss", verdict="NOT SHOWN", findings=nobody)
    c.add("after an answer", world.answer(copy(asked), thief), "Miss", verdict="NOT SHOWN", findings=nobody)
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
    decided("she stops after an ask", stop(world.ask(copy(long))), 1, "NOT SHOWN", nobody, "Miss")
    early = [["dis-decide-2", "arbitrator"]]
    world.log = admitted.clone()
    decided("the arbitrator decides with range left", copy(first), 1, "NOT SHOWN", early, "Finding")
    world.log = admitted.clone()
    decided("before the first round", copy(long), 0, "NOT SHOWN", early, "Finding")
    world.log = admitted.clone()
    decided("after an ask", world.ask(copy(long)), 1, "NOT SHOWN", early + nobody, "Finding", "Miss")
    wrong = [["dis-decide-3", "arbitrator"]]
    world.log = admitted.clone()
    decided("decides DEPENDENT where nothing is shown", stop(copy(first)), 1, "NOT SHOWN", wrong, "Finding",
            say="DEPENDENT")  # fmt: skip
    world.log = admitted.clone()
    decided("decides INADMISSIBLE where nothing is wrong", stop(copy(first)), 1, "NOT SHOWN", wrong, "Finding",
            say="INADMISSIBLE")  # fmt: skip
    unlogged = [["dis-decide-4", "unknown"]]
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
    c.add("an auditor's own bits are no fault of the arbitrator's", dependent, "AuditorBits", verdict="NOT SHOWN",
          findings=[], trust=trust | {"bits": 400})  # fmt: skip
    world.log = admitted.clone()
    decided(
        "she stops after an answer", stop(world.answer(world.ask(copy(long)), thief)), 1, "NOT SHOWN", misses, "Miss"
    )
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
    again = world.bind(world.file(count=32), world.model)
    world.admit(again, head=world.log.checkpoint(2))
    a2 = ("admit", again.admitted)
    add("a second admit of the same file", [a, a2], 32, "SameFile")
    add("it burns nothing anew", [a, decide(one, 0), a2], 0, "SameFile")
    add("and its decide does not count", [a, a2, decide(again, 0)], 32, "SameFile")
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


PLAYS = (
    "the transcripts of whole disputes, one after the other, played as stories.py says (World, suspect_answer, play): "
    "for w = 0 .. 3 a key of 64 leaves, seeds 'play w ...', logged first, then a release, which file quotes if w is "
    "odd; then up to three disputes by suspects 5w, 5w + 2, 5w + 1 over 32, 16 and at most 64 leaves, each where the "
    "one before has stopped"
)
PREFIXES = (
    "for every prefix of these transcripts, and for each whose last step has receipts also without these: the line "
    "'verdict leaves marked hits ghosts ghost_hits floor(log2 E) problems rules,of,findings link'"
)

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
        accumulated("plays-accumulated", PLAYS, transcripts, verdicts=texts),
        accumulated("prefixes-accumulated", PREFIXES, verdicts),
    ]


def line(found):
    numbers = [found[name] for name in ("leaves", "marked", "hits", "ghosts", "ghost_hits", "evidence_log2")]
    rules = ",".join(rule for rule, _ in found["findings"])
    words = [found["verdict"], *numbers, len(found["problems"]), rules, found["link"]]
    return (" ".join(map(str, words)) + "\n").encode()


def groups():
    return [links(), taken(), verdicts(), false_evidence(), inadmissible(), *plays()]
