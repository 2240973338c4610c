"""What the cases for specs/dispute.md share: flags, signed objects, how a case is written down, and beginnings."""

import commitment
import dispute
import ed25519
import encoding
import registry
from encoding import canonical, parts
from stories import ARBITRATOR, OWNER, RESPONDENT, STRANGER, World, copy
from vectors import Group, Pool, patched

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
    "SameFile": ("DENIAL", "an arbitrator burns leaves again and again with one filing"),
    "TwoEnds": ("CHOICE", "of two ends of one dispute, signed by the same parties, the better one is shown"),
    "LogCopy": ("FORK", "the copy of the log has another past, or is too old to show anything"),
}

POOL = Pool(owner=OWNER, arbitrator=ARBITRATOR, respondent=RESPONDENT, stranger=STRANGER)


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


def stopped(story):
    story.say("stop", OWNER)
    return story
