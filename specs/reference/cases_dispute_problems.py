"""Cases for specs/dispute.md: claims that may not be heard, each for one reason, and their neighbours that may."""

import commitment
import dispute
import ed25519
import encoding
import registry
from encoding import b64, parts, sha256
from stories import ARBITRATOR, LOG, LOG_NAME, STRANGER, copy, public
from transcripts import Cases, stopped, usual


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

    ranged("a start off the grid", 8, 16, "dis-range-1", "OffGrid")
    ranged("a start of 1", 1, 16, "dis-range-1", "OffGrid")
    ranged("no leaf", 0, 0, "dis-range-2", "Range")
    ranged("half a round", 0, 8, "dis-range-2", "Range")
    ranged("more leaves than the key has", 0, 64, "dis-range-2", "Range")
    ranged("beyond the key's end", 32, 32, "dis-range-2", "Range")
    ranged("a huge range", 0, 2**53 - 16, "dis-range-2", "Range")

    # Receipts that file quotes.
    other = log0.clone()
    other.entries = other.entries[::-1]
    where = other.index(world.key_entry)
    wrong = b64(log0.receipt(0))
    problem("the receipt of another entry", fresh().file(key_receipt=wrong), "dis-file-5", "Receipts")
    bad = registry.Log(LOG_NAME, STRANGER)
    bad.entries = other.entries
    problem("the key's receipt is another log's", fresh().file(key_receipt=b64(bad.receipt(where))),
            "dis-file-5", "OtherLog")  # fmt: skip
    problem("no receipt", fresh().file(key_receipt=""), "dis-file-5", "Receipts")

    # Releases.
    def released(comment, signed, why, *flags):
        world = fresh()
        world.log.append("release", signed)
        problem(comment, world.file(signed), why, *flags)

    other_key = sha256(b"another key").hex()
    released("a release of another key", world.release(key_id=other_key)[0], "dis-file-6", "ReleaseOfOther")
    released("a release of other labels", world.release(beta=other_key)[0], "dis-file-6", "ReleaseOfOther")
    released("a stranger's release of this key", world.release(by=STRANGER)[0], "dis-file-6", "ReleaseOfOther")
    released("a release that names another owner", world.release(owner=public(STRANGER))[0],
             "dis-file-6", "ReleaseOfOther")  # fmt: skip
    released("a release whose h_f does not follow", world.release(model=other_key)[0], "dis-file-6",
             "ReleaseOfOther")  # fmt: skip
    released("a release that quotes no receipt of the key", world.release(key_receipt="")[0], "dis-file-6",
             "ReleaseOfOther")  # fmt: skip
    payload, signer, signature = parts(world.rel)
    forged = encoding.envelope(payload, signer, signature[:32] + bytes(32))
    released("a release with a bad signature", forged, "dis-file-6", "ReleaseOfOther")

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
    problem("admit was not logged before the first ask", story, "dis-admit-7",
            "NotLogged")  # fmt: skip
    story = fresh().admit(world.bind(world.file(), world.model), head=world.log.checkpoint(0))
    world.log_admit(story, custom(story, [old, None, key]))
    problem("the key is younger than admit", story, "dis-order-1", "KeyOrder")
    story = fresh().admit(world.bind(world.file(world.rel), world.model))
    world.log_admit(story, custom(story, [rel, old, key, None]))
    problem("the release is older than the key", story, "dis-order-2", "ReleaseOrder")
    story = fresh().admit(world.bind(world.file(world.rel), world.model), head=world.log.checkpoint(2))
    world.log_admit(story, custom(story, [old, key, None, rel]))
    problem("the release is younger than admit", story, "dis-order-2", "ReleaseOrder")
    story = admitted(fresh().bind(world.file(), world.old_model, world.old))
    problem("the weights are older than the labels", story, "dis-order-3", "PriorRelease")
    world.round(story, 0, world.thief(0))
    world.round(story, 1, world.thief(1))
    world.log_decide(world.decide(story, 2, "INADMISSIBLE"))
    problem("even if every mark is in them", story, "dis-order-3", "PriorRelease",
            findings=[])  # fmt: skip
    story = admitted(fresh().bind(world.file(), world.old_model, world.old))
    world.log_decide(world.decide(story, 0, "INADMISSIBLE"))
    problem("and the arbitrator need not ask", story, "dis-order-3", "PriorRelease",
            findings=[])  # fmt: skip
    story = fresh().admit(world.bind(world.file(), world.model))
    young = world.log.clone()
    young.append("admit", story.admitted)
    other_head = registry.Log(LOG_NAME, STRANGER)
    other_head.entries = list(log0.entries)
    story = admitted(fresh().bind(world.file(), world.model), head=young.checkpoint())
    problem("the head is younger than admit", story, "dis-order-5", "Head")
    story = admitted(fresh().bind(world.file(), world.model), head=other_head.checkpoint())
    problem("the head is another log's", story, "dis-order-5", "Head", "OtherLog")
    story = admitted(fresh().bind(world.file(), world.model), head="")
    problem("no head", story, "dis-order-5", "Head")

    def received(comment, change, why, *flags, release=None):
        story = fresh().admit(world.bind(world.file(release), world.model))
        log = world.log.clone()
        log.append("admit", story.admitted)
        story.logged(change(log, [log.index(leaf) for leaf in story.named]))
        problem(comment, story, why, *flags)

    received("a receipt is missing", lambda log, at: [log.receipt(at[0])], "dis-admit-5", "Receipts")
    received("a receipt too many", lambda log, at: [log.receipt(i) for i in [*at, 0]], "dis-admit-5",
             "Receipts")  # fmt: skip
    received("receipts in another order", lambda log, at: [log.receipt(i) for i in at[::-1]], "dis-admit-5", "Receipts")
    received("under two checkpoints", lambda log, at: [log.receipt(at[0]), log.receipt(at[1], 3)],
             "dis-admit-5", "Receipts")  # fmt: skip

    def strange(log, at):
        log.seed, log.key = STRANGER, (LOG_NAME, ed25519.public(STRANGER))
        return [log.receipt(i) for i in at]

    received("of another log", strange, "dis-admit-5", "OtherLog")
    received("nonsense", lambda _log, at: [b"x"] * len(at), "dis-admit-5", "Receipts")

    # What is taken.
    def first(count=16, arbitrator=ARBITRATOR, seed=None, **change):
        """An earlier dispute over [0, count) in a fresh log: its admit."""
        story = fresh().bind(world.file(count=count, arbitrator=arbitrator, **change), world.model)
        return admitted(story, seed=seed)

    def then(entries, start, count=16, **change):
        """A dispute from ``start`` on, whose admit lists ``entries``."""
        story = world.file(start=start, count=count, key_receipt=world.latest(world.key_entry))
        return admitted(world.bind(story, world.model), earlier=entries, **change)

    one = first()
    e = [("admit", one.admitted)]
    c.add("a second dispute above the first", then(e, 16), "Taken", verdict="NOT SHOWN")
    first()
    problem("a second dispute over the same leaves", then(e, 0), "dis-taken-2", "Taken")
    one = first(count=32)
    e = [("admit", one.admitted)]
    problem("leaves that were offered are taken, asked or not", then(e, 16), "dis-taken-2", "Taken")
    one = first(count=32)
    world.log_decide(world.decide(stopped(world.round(one, 0, world.thief(0))), 1, "NOT SHOWN"))
    e = [("admit", one.admitted), ("decide", one.decided)]
    kept = world.log.clone()
    c.add("a decide frees what was not asked", then(e, 16), "Taken", verdict="NOT SHOWN")
    world.log = kept.clone()
    problem("and no more than that", then(e, 0), "dis-taken-2", "Taken")
    world.log = kept.clone()
    problem(
        "an earlier decide is left out of the list, and so is what it freed", then(e[:1], 16), "dis-taken-2", "Taken"
    )
    world.log = kept.clone()
    problem("a decide without its admit does not count", then(e[1:], 0), "dis-admit-8",
            "NotCounted")  # fmt: skip
    one = first(seed=STRANGER)
    e = [("admit", one.admitted)]
    problem("an admit of another arbitrator than file names burns nothing, and is not listed", then(e, 0),
            "dis-admit-8", "NotCounted")  # fmt: skip
    first(seed=STRANGER)
    c.add("so the leaves are free", then([], 0), "NotCounted", verdict="NOT SHOWN")
    one = first(seed=None, arbitrator=STRANGER)
    e = [("admit", one.admitted)]
    problem("but an admit of any arbitrator whom the owner addressed does", then(e, 0), "dis-taken-2", "Taken")
    one = first()
    world.log.entries.pop()
    later = fresh().bind(world.file(start=16, count=16), world.model)
    world.admit(later, earlier=[("admit", one.admitted)])
    world.log_admit(later, custom(later, [*log0.entries, None, ("admit", one.admitted)]))
    problem("an earlier admit that stands above this one", later, "dis-order-4", "Taken")
    one = first(count=32)
    world.log_decide(world.decide(stopped(one), 0, "NOT SHOWN"))
    e = [("admit", one.admitted), ("decide", one.decided)]
    swapped = fresh().bind(world.file(count=16), world.model)
    world.admit(swapped, earlier=e)
    world.log_admit(swapped, custom(swapped, [*log0.entries, *e[::-1], None]))
    problem("a decide that stands below its admit", swapped, "dis-order-4", "Taken")

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
    problem("a copy of the log shows an earlier admit that was hidden", hides, "dis-log-4", "Hidden",
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

    # A file is used once.
    one = fresh().bind(world.file(count=16), world.model)
    bound = copy(one)
    admitted(one)
    world.log_decide(world.decide(stopped(one), 0, "NOT SHOWN"))
    e = [("admit", one.admitted), ("decide", one.decided)]
    ended = world.log.clone()
    problem("the same file is admitted a second time, though all its leaves are free", admitted(copy(bound), earlier=e),
            "dis-admit-9", "SameFile")  # fmt: skip
    world.log = ended.clone()
    c.add("a new file for the same leaves", then(e, 0), "SameFile", verdict="NOT SHOWN")

    # One dispute, one end.
    c.add("a copy of the log shows the decide that ends this dispute", one, "TwoEnds", verdict="NOT SHOWN", findings=[],
          log=copied(ended))  # fmt: skip
    cut = copy(one)
    cut.steps = cut.steps[:3]
    cannot_tell, hers = [["dis-log-5", "unknown"]], [["dis-log-5", "arbitrator"]]
    c.add("a transcript that lacks the decide that the log holds", cut, "TwoEnds", verdict="NOT SHOWN",
          findings=cannot_tell, log=copied(ended))  # fmt: skip
    other_end = dispute.Story(one.key_id, one.steps[:3], bytes.fromhex(dispute.judge(cut.transcript())["link"]))
    other_end.arbitrator, other_end.admit_entry, other_end.start = one.arbitrator, one.admit_entry, 0
    world.log = ended.clone()
    world.log_decide(world.decide(world.round(other_end, 0, world.thief(0)), 1, "NOT SHOWN"))
    both = copied(world.log)
    c.add("a second end, that was logged after the first", other_end, "TwoEnds", verdict="NOT SHOWN", findings=hers,
          log=both)  # fmt: skip
    c.add("the first end, though the log holds a second", one, "TwoEnds", verdict="NOT SHOWN", log=both)
    c.add("without a copy nobody sees it", other_end, "TwoEnds", verdict="NOT SHOWN", findings=[])
    by_stranger = commitment.sign(STRANGER, parts(one.decided)[0])
    fresh()
    open_end = admitted(copy(bound))
    world.log.append("decide", by_stranger)
    c.add("a stranger's decide ends nothing", open_end, "TwoEnds", verdict="NOT SHOWN", log=copied(world.log))

    fresh()
    long = admitted(fresh().bind(world.file(), world.model))
    world.round(world.round(long, 0, world.thief(0)), 1, world.thief(1))
    bought = copy(long)
    world.log.append("decide", world.decide(bought, 0, "NOT SHOWN", previous=sha256(b"of nothing").hex()).decided)
    c.add("a bought arbitrator's decide of nothing voids no evidence", long, "TwoEnds", verdict="DEPENDENT",
          findings=hers, log=copied(world.log))  # fmt: skip

    # The head that admit quotes, and every other checkpoint.
    aside = registry.Log(LOG_NAME, LOG)
    aside.entries = [rel, old]
    story = admitted(fresh().bind(world.file(), world.model), head=aside.checkpoint())
    c.add("the head has another past than the log", story, "LogCopy", "Head", log=copied(world.log), rule="dis-log-3",
          **false)  # fmt: skip
    c.add("without a copy nobody sees that, either", story, "LogCopy", "Head", verdict="NOT SHOWN")
    aside.entries = [("key", world.signed), rel]
    elsewhere = [b64(aside.receipt(i)) for i in range(2)]

    def two_pasts(comment, story, log=None):
        c.add(comment, story, "LogCopy", log=copied(log or world.log), rule="dis-log-3", **false)
        c.add(f"{comment}; without a copy nobody sees it", story, "LogCopy", verdict="NOT SHOWN")

    two_pasts(
        "the key was shown in another past", admitted(fresh().bind(world.file(key_receipt=elsewhere[0]), world.model))
    )
    story = admitted(fresh().bind(world.file(world.rel, release_receipt=elsewhere[1]), world.model))
    two_pasts("the release was shown in another past", story)
    quoting = world.release(key_receipt=elsewhere[0])[0]
    fresh().log.append("release", quoting)
    two_pasts("the release quotes the key in another past", admitted(world.bind(world.file(quoting), world.model)))
    story = world.decide(stopped(admitted(fresh().bind(world.file(), world.model))), 0, "NOT SHOWN")
    grown = world.log.clone()
    grown.entries[0] = rel
    world.log_decide(story, grown)
    world.log.append("decide", story.decided)
    two_pasts("the decision was shown in another past", story)
    story = admitted(fresh().bind(world.file(), world.model), head=other_head.checkpoint())
    problem("the head is another log's: a problem, with a copy of the log too", story, "dis-order-5", "Head",
            log=copied(world.log))  # fmt: skip
    story = fresh().ask(world.admit(world.bind(world.file(), world.model)))
    problem("admit was not logged: a copy of the log changes nothing", story, "dis-admit-7", "NotLogged",
            log=copied(log0))  # fmt: skip
    return c.group
