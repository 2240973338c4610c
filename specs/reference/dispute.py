"""A dispute: what is said, how it is chained, and the verdict that follows (specs/dispute.md).

``judge`` reads a transcript from the first byte to the last and knows nothing else. ``Story`` makes one.
"""

import re

import commitment
import registry
import release as releases
import verdict
from encoding import (
    PROFILE,
    H,
    Refused,
    array,
    b64,
    b64text,
    canonical,
    check_envelope,
    frame,
    hex32,
    maybe,
    need,
    obj,
    one_of,
    parse_canonical,
    parse_statement,
    parts,
    predicate_type,
    sha256,
    statement,
    string,
    text,
    uint,
    unb64,
)

TRANSCRIPT = "wmproto/transcript@v1"
TRANSCRIPT_LIMIT = 256 << 20
ROUND = 16
BITS = 160  # L with Fiat-Shamir
K, S_LOG2, B, Q = 2**17, 24, 2**7, 2**65

# --- messages ------------------------------------------------------------------------------------------------------

PLACE = {"previous": maybe(hex32), "seq": uint()}
POLICY = obj(bits=uint(0, 4096), suspects_log2=uint(24, 256))
LIBRARY = obj(digest=hex32, name=text, version=text)
SETTINGS = obj(batch=one_of(1), dtype=one_of("float32"), libraries=array(LIBRARY, 0, 16), threads=one_of(1))
MESSAGES = {
    "file": obj(
        access=one_of("W", "T", "B", "H"),
        arbitrator=hex32,
        count=uint(),
        key_entry=hex32,
        key_receipt=b64text,
        log=string(1024),
        policy=hex32,
        profile=text,
        release_entry=maybe(hex32),
        release_receipt=maybe(b64text),
        start=uint(),
        suspect=text,
        time_evidence=array(b64text, 0, 16),
        **PLACE,
    ),
    "bind": obj(
        adapter=maybe(text),
        holder=one_of("respondent", "escrow"),
        map=maybe(text),
        model=hex32,
        prior=maybe(hex32),
        **PLACE,
    ),
    "admit": obj(
        earlier=array(hex32, 0, 4096),
        file=check_envelope,
        head=string(16384),
        known_answers=array(hex32, 0, 4096),
        policy=POLICY,
        settings=SETTINGS,
        **PLACE,
    ),
    "ask": obj(leaves=array(obj(index=uint(), inputs=hex32), 0, 16), **PLACE),
    "answer": obj(answers=array(maybe(uint()), 0, 16), **PLACE),
    "open": obj(openings=array(commitment.OPENING, 0, 16), **PLACE),
    "stop": obj(**PLACE),
    "decide": obj(admit=hex32, rounds=uint(), verdict=one_of("DEPENDENT", "NOT SHOWN", "INADMISSIBLE"), **PLACE),
}
LETTERS = dict(zip(MESSAGES, "FBAKNOSD", strict=True))
ORDER = re.compile("F(B(A(KNO)*(K|KN)?S?D?)?)?")


def read(signed):
    """A signed message as a dict: kind, message, about (key_id), signer, leaf (of its log entry)."""
    payload, signer = commitment.verify_signed(signed)
    value = parse_canonical(payload)
    kinds = [k for k in MESSAGES if isinstance(value, dict) and value.get("predicateType") == predicate_type(k)]
    need(kinds, "FormatError", why="not a message of a dispute")
    value = parse_statement(payload, kinds[0], MESSAGES[kinds[0]])
    subject = value["subject"]
    need(len(subject) == 1 and subject[0]["name"] == "key", "FormatError", why="subject")
    return {
        "kind": kinds[0],
        "message": value["predicate"],
        "about": bytes.fromhex(subject[0]["digest"]["sha256"]),
        "signer": signer,
        "signed": signed,
        "leaf": registry.entry_leaf(kinds[0], signed),
    }


def link(previous, signed):
    payload, signer, signature = parts(signed)
    return H("link", previous, sha256(payload), signer, signature)


def link_logged(previous, receipts):
    return H("logged", previous, frame(*receipts))


def policy_digest(policy):
    return H("policy", canonical(policy))


def suspect_id(model, settings):
    return H("suspect", model, b"", b"", canonical(settings))


# --- which leaves are taken ----------------------------------------------------------------------------------------


def counted_file(signed, key, vkey):
    """The file of an admit that counts for the key, else None."""
    try:
        admit = read(signed)
        file = read(admit["message"]["file"]) if admit["kind"] == "admit" else None
    except Refused:
        return None
    if file is None or file["kind"] != "file":
        return None
    ours = admit["about"] == file["about"] == key["key_id"] and file["signer"].hex() == key["z"]["owner"]
    named = file["message"]["arbitrator"] == admit["signer"].hex() and file["message"]["log"] == vkey
    return file["message"] if ours and named else None


def taken(entries, key, vkey):
    """(first free leaf, leaves of the entries that count) from (type, signed object) in the order of the log."""
    ends, files, counted, used = {}, {}, [], []
    for kind, signed in entries:
        leaf = registry.entry_leaf(kind, signed)
        if kind == "admit":
            file = counted_file(signed, key, vkey)
            if file is not None and file not in used:
                used.append(file)
                ends[leaf] = file["start"] + file["count"]
                files[leaf] = file, parts(signed)[1]
                counted.append(leaf)
        if kind == "decide":
            try:
                decide = read(signed)
            except Refused:
                continue
            if decide["kind"] != "decide" or decide["about"] != key["key_id"]:
                continue
            admit = bytes.fromhex(decide["message"]["admit"])
            if admit in files and files[admit][1] == decide["signer"]:
                file = files.pop(admit)[0]  # a second decide changes nothing
                ends[admit] = min(ends[admit], file["start"] + ROUND * decide["message"]["rounds"])
                counted.append(leaf)
    return max(ends.values(), default=0), counted


# --- the judge -----------------------------------------------------------------------------------------------------


def parse_transcript(data):
    value = parse_canonical(data, TRANSCRIPT_LIMIT)
    step = obj(attached=array(check_envelope, 0, 4096), message=check_envelope, receipts=array(b64text, 0, 4100))
    obj(format=one_of(TRANSCRIPT), steps=array(step, 0, 3 * 4096 + 5))(value)
    return value["steps"]


TRUST = obj(
    arbitrators=array(hex32, 1, 1024),
    bits=uint(0, 4096),
    format=one_of("wmproto/trust@v1"),
    log=string(1024),
    owners=array(hex32, 1, 1024),
    respondents=array(hex32, 1, 1024),
)


def judge(data, trust=None, log_copy=None):
    """The verdict with its numbers. Refused means false evidence; a problem makes the claim inadmissible."""
    steps = parse_transcript(data)
    need(steps, "FormatError", why="nothing was said")
    said = [read(step["message"]) for step in steps]
    kinds = "".join(LETTERS[one["kind"]] for one in said)
    need(ORDER.fullmatch(kinds), "VerificationError", "dis-chain-1", "order of messages")
    receipts = [[unb64(r) for r in step["receipts"]] for step in steps]
    attached = [step["attached"] for step in steps]
    for one, r, a in zip(said, receipts, attached, strict=True):
        need(not r or one["kind"] in ("admit", "decide"), "VerificationError", "dis-chain-1", "nothing to log")
        need(not a or one["kind"] in ("file", "bind", "admit"), "VerificationError", "dis-chain-4")

    # Who speaks, about what, in which place.
    file = said[0]["message"]
    key_signed = attached[0][0] if attached[0] else None
    names = [file["key_entry"], *([file["release_entry"]] if file["release_entry"] else [])]
    check_attached(attached[0], ["key", "release"], names, "dis-file-2")
    key = commitment.verify_key(key_signed)
    z = key["z"]
    need(said[0]["about"] == key["key_id"], "VerificationError", "dis-file-3", "another key", "claimant")
    need(said[0]["signer"].hex() == z["owner"], "SignatureError", "dis-file-4", "another signer")
    speakers = {"ask": z["owner"], "open": z["owner"], "stop": z["owner"]}
    speakers |= {"admit": file["arbitrator"], "answer": file["arbitrator"], "decide": file["arbitrator"]}
    chain, links = b"", []
    for n, one in enumerate(said):
        kind, message = one["kind"], one["message"]
        need(one["about"] == key["key_id"], "VerificationError", "dis-chain-5", "another key")
        wanted = speakers.get(kind, one["signer"].hex())
        need(one["signer"].hex() == wanted, "SignatureError", "dis-chain-3", "another signer")
        place = message["seq"] == n and message["previous"] == (chain.hex() if n else None)
        need(place, "VerificationError", "dis-chain-2", "another place")
        chain = link(chain, one["signed"])
        if kind == "admit" and receipts[n]:
            chain = link_logged(chain, receipts[n])
        links.append(chain.hex())

    problems, findings = [], []

    def judged(rule, check, *args):
        """What fails here makes the claim inadmissible, not the transcript false."""
        try:
            return check(*args)
        except Refused:
            problems.append(rule)

    # file
    need(file["profile"] == PROFILE, "FormatError", why="profile")
    need(file["access"] == "W", "UnsupportedError", why="access")
    need(not file["time_evidence"], "UnsupportedError", why="time evidence")
    both = (file["release_entry"] is None) == (file["release_receipt"] is None)
    need(both, "FormatError", why="release without receipt, or receipt without release")
    log = registry.parse_vkey(file["log"])
    start, end = file["start"], file["start"] + file["count"]
    if start % commitment.start_grid(z["N"]):
        problems.append("dis-range-1")
    if file["count"] % ROUND or file["count"] == 0 or end > z["N"]:
        problems.append("dis-range-2")
    key_entry = bytes.fromhex(file["key_entry"])
    judged("dis-file-5", registry.verify_receipt, unb64(file["key_receipt"]), key_entry, log)
    if file["release_entry"] is not None:
        judged("dis-file-6", check_release, attached[0][1], key, file, log)

    # bind
    bind = said[1]["message"] if len(said) > 1 else None
    if bind:
        need(bind["adapter"] is None and bind["map"] is None, "UnsupportedError", why="adapter or map")
        check_attached(attached[1], ["release"], [bind["prior"]] if bind["prior"] else [], "dis-bind-2")
        if bind["prior"]:
            other = releases.verify_release(attached[1][0])["model"]
            need(other == bind["model"], "VerificationError", "dis-bind-3", "other weights", "respondent")

    # admit
    admit, found = (said[2]["message"] if len(said) > 2 else None), None
    if admit:
        need(admit["file"] == said[0]["signed"], "VerificationError", "dis-admit-2", "another file", "arbitrator")
        same = policy_digest(admit["policy"]).hex() == file["policy"]
        need(same, "VerificationError", "dis-admit-3", "another policy", "arbitrator")
        need(not admit["known_answers"], "UnsupportedError", why="known answers")
        earlier_kinds = [read(e)["kind"] for e in attached[2]]
        check_attached(attached[2], earlier_kinds, admit["earlier"], "dis-admit-4")
        if receipts[2]:
            entries = list(zip(earlier_kinds, attached[2], strict=True))
            found = judged("dis-admit-5", check_admission, said, entries, receipts[2], key, log, problems)
        elif "K" in kinds:
            problems.append("dis-admit-7")

    # rounds
    bits = max(BITS, admit["policy"]["bits"]) if admit else BITS
    judged_bits = max(bits, trust["bits"]) if trust and admit else bits
    now = {"leaves": 0, "unopened": 0, "marked": 0, "hits": 0, "ghosts": 0, "ghost_hits": 0}
    fired, final = False, None  # fired: at the parties' bits; final: the evidence at the judge's
    opened = []
    rounds = kinds.count("K")
    for r in range(rounds):
        need(not fired, "VerificationError", "dis-chain-1", "asked after the verdict was final")
        at = 3 + 3 * r
        leaves = said[at]["message"]["leaves"]
        first = start + ROUND * r
        need(first < end, "VerificationError", "dis-ask-2", "beyond the range", "claimant")
        right = [leaf["index"] for leaf in leaves] == list(range(first, first + ROUND))
        need(right, "VerificationError", "dis-ask-1", "not the next leaves", "claimant")
        answers, openings, fault = [None] * ROUND, {}, "unknown"
        if kinds[at + 2 : at + 3] in ("O", "S"):
            fault = "claimant"
        if kinds[at + 1 : at + 2] == "N":
            answers = said[at + 1]["message"]["answers"]
            right = len(answers) == ROUND and all(a is None or a < len(z["classes"]) for a in answers)
            need(right, "VerificationError", "dis-answer-1", "not one answer a leaf", "arbitrator")
        if kinds[at + 2 : at + 3] == "O":
            listed = said[at + 2]["message"]["openings"]
            indices = [o["index"] for o in listed]
            right = indices == sorted(set(indices)) and all(first <= i < first + ROUND for i in indices)
            need(right, "VerificationError", "dis-open-1", "not leaves that were asked, in order", "claimant")
            openings = {o["index"]: o for o in listed}
        for leaf, answer in zip(leaves, answers, strict=True):
            now = count(dict(now), key, leaf, answer, openings.get(leaf["index"]), opened, findings, fault)
            fired = fired or verdict.fires(z["m"], now["marked"], now["hits"], bits)
            if final is None and verdict.fires(z["m"], now["marked"], now["hits"], judged_bits):
                final = now
    dependent, counted = final is not None, final or now

    # decide
    decide, ended = (said[-1]["message"] if said[-1]["kind"] == "decide" else None), None
    if decide:
        right = decide["admit"] == said[2]["leaf"].hex() and decide["rounds"] == rounds
        need(right, "VerificationError", "dis-decide-1", "another admit or number of rounds", "arbitrator")
        unfinished = kinds[-2] in "KN"
        over = "S" in kinds or fired or problems or start + ROUND * rounds >= end
        if unfinished or not over:
            findings.append(["dis-decide-2", "arbitrator"])
        played = "INADMISSIBLE" if problems else "DEPENDENT" if fired else "NOT SHOWN"
        if decide["verdict"] != played:
            findings.append(["dis-decide-3", "arbitrator"])
        if not receipts[-1]:
            findings.append(["dis-decide-4", "unknown"])
        else:
            ended = check_decided(receipts[-1], log, said[-1]["leaf"], said[2]["leaf"], found)

    if trust is not None:
        check_trust(trust, file, z, said)
    if log_copy is not None:
        entries = registry.read_log_copy(log_copy, log)
        if found:
            pasts = [found, *([ended] if ended else []), *shown_pasts(file, attached[0], admit, problems, log)]
            exhausted = start + ROUND * rounds >= end
            # Where the arbitrator may not decide: within a round, and before the end unless the claim is inadmissible.
            early = {links[n] for n, kind in enumerate(kinds) if kind in "KN" or (kind in "AO" and not problems)}
            if rounds and (fired or exhausted):
                early.discard(links[2 + 3 * rounds] if len(links) > 2 + 3 * rounds else None)
            check_log(entries, said, key, found, pasts, problems)
            findings += other_ends(entries, said, key, kinds.count("N"), early)
    name = "INADMISSIBLE" if problems else "DEPENDENT" if dependent else "NOT SHOWN"
    numbers = {
        "K": max(K, found["size"] if found else 0),
        "S": 2 ** (admit["policy"]["suspects_log2"] if admit else S_LOG2),
        "B": B,
        "Q": Q,
    }
    log2_e = verdict.floor_log2(verdict.evidence(z["m"], counted["marked"], counted["hits"]))
    ghost_tail = verdict.ghost_tail(z["m"], counted["ghosts"], counted["ghost_hits"])
    return counted | {
        "verdict": name,
        "bits": judged_bits,
        "evidence_log2": log2_e,
        "ghost_log2": verdict.ceil_log2(ghost_tail),
        "bound_log2": verdict.bound_log2(judged_bits, beacon=False, **numbers),
        "supported_log2": verdict.supported_log2(log2_e, beacon=False, **numbers),
        "problems": problems,
        "findings": sorted(findings),
        "link": chain.hex(),
        "opened": opened,
    }


def check_trust(trust, file, z, said):
    """Everybody whom the evidence rests on must be known."""
    TRUST(trust)
    known = file["log"] == trust["log"] and file["arbitrator"] in trust["arbitrators"] and z["owner"] in trust["owners"]
    known = known and (len(said) < 2 or said[1]["signer"].hex() in trust["respondents"])
    need(known, "TrustError", "dis-trust-1", "rests on somebody unknown")


def check_attached(attached, kinds, named, rule):
    leaves = [registry.entry_leaf(kind, e).hex() for kind, e in zip(kinds, attached, strict=False)]
    need(len(attached) == len(named) and leaves == named, "VerificationError", rule, "not what is named")


def check_release(signed, key, file, log):
    release = releases.verify_release(signed)
    releases.check_release_of(release, key)
    registry.verify_receipt(unb64(release["key_receipt"]), bytes.fromhex(file["key_entry"]), log)
    registry.verify_receipt(unb64(file["release_receipt"]), bytes.fromhex(file["release_entry"]), log)


def check_admission(said, entries, receipts, key, log, problems):
    """All entries under the one checkpoint of admit's receipt, in an order that allows the dispute."""
    file, bind, admit = (one["message"] for one in said[:3])
    free, counted = taken(entries, key, file["log"])
    if [leaf.hex() for leaf in counted] != admit["earlier"]:
        problems.append("dis-admit-8")
    if file["start"] < free:
        problems.append("dis-taken-2")
    if file in [counted_file(signed, key, file["log"]) for _, signed in entries]:
        problems.append("dis-admit-9")
    leaves = {"admit": said[2]["leaf"].hex(), "key": file["key_entry"]}
    leaves |= {"release": file["release_entry"], "prior": bind["prior"]}
    leaves |= dict(enumerate(admit["earlier"]))
    leaves = {name: leaf for name, leaf in leaves.items() if leaf is not None}
    need(len(receipts) == len(leaves), "InclusionError", "dis-admit-5", "a receipt for each entry")
    proofs = {
        name: registry.verify_receipt(data, bytes.fromhex(leaf), log)
        for (name, leaf), data in zip(leaves.items(), receipts, strict=True)
    }
    need(len({p["note"] for p in proofs.values()}) == 1, "InclusionError", "dis-admit-5", "different checkpoints")
    at = {name: p["index"] for name, p in proofs.items()}
    if not at["key"] < at["admit"]:
        problems.append("dis-order-1")
    if "release" in at and not at["key"] < at["release"] < at["admit"]:
        problems.append("dis-order-2")
    if "prior" in at and at["prior"] < at["key"]:
        problems.append("dis-order-3")
    order = [at[n] for n in range(len(admit["earlier"]))]
    if order != sorted(set(order)) or any(i >= at["admit"] for i in order):
        problems.append("dis-order-4")
    try:
        head_ok = registry.verify_checkpoint(admit["head"], log)[0] <= at["admit"]
    except Refused:
        head_ok = False
    if not head_ok:
        problems.append("dis-order-5")
    return {"size": proofs["admit"]["size"], "root": proofs["admit"]["root"], "admit": at["admit"]}


def count(now, key, leaf, answer, opening, opened, findings, fault):
    """The evidence after one more leaf; ``fault``: whose it is if the leaf is not opened well."""
    now["leaves"] += 1
    try:
        need(opening is not None, "OpeningError", "dis-open-3", "asked and not opened")
        commitment.verify_opening(opening, key, bytes.fromhex(leaf["inputs"]))
    except Refused as refused:
        findings.append([refused.rule, fault])
        now["marked"] += 1
        now["unopened"] += 1
        return now
    k = bytes.fromhex(opening["k"])
    y = commitment.label(key["key_id"], key["beta"], leaf["index"], k, key["z"]["m"])
    ghost = commitment.ghost(key["key_id"], key["beta"], leaf["index"], k)
    opened.append(f"{leaf['index']} {'ghost' if ghost else 'marked'} {y} {answer}")
    if ghost:
        now["ghosts"] += 1
        now["ghost_hits"] += answer == y
    else:
        now["marked"] += 1
        now["hits"] += answer == y
    return now


def shown_pasts(file, attached, admit, problems, log):
    """Checkpoints that the transcript shows beside admit's and decide's: of key, release, key as it quotes it, head."""
    pasts = []
    if "dis-file-5" not in problems:
        pasts.append(registry.verify_receipt(unb64(file["key_receipt"]), bytes.fromhex(file["key_entry"]), log))
    if file["release_entry"] and "dis-file-6" not in problems:
        quoted = unb64(releases.verify_release(attached[1])["key_receipt"])
        pasts.append(registry.verify_receipt(quoted, bytes.fromhex(file["key_entry"]), log))
        pasts.append(registry.verify_receipt(unb64(file["release_receipt"]), bytes.fromhex(file["release_entry"]), log))
    try:
        size, root = registry.verify_checkpoint(admit["head"], log)
        pasts.append({"size": size, "root": root})
    except Refused:
        pass  # a problem, dis-order-5
    return pasts


def check_log(entries, said, key, found, pasts, problems):
    """With a copy of the log: has it the past that the transcript shows, and did admit hide an earlier entry?"""
    file, admit = said[0]["message"], said[2]["message"]
    leaves = [registry.entry_leaf(kind, signed) for kind, signed in entries]
    need(found["size"] <= len(leaves), "VerificationError", "dis-log-1", "the copy is too old")
    for past in pasts:
        same = past["size"] > len(leaves) or registry.merkle.root(leaves[: past["size"]]) == past["root"]
        need(same, "VerificationError", "dis-log-3", "two pasts", "registry")
    _, counted = taken(entries[: found["admit"]], key, file["log"])
    if [leaf.hex() for leaf in counted] != admit["earlier"]:
        problems.append("dis-log-4")


def other_ends(entries, said, key, answered, early):
    """The first decide that counts for this admit beside the transcript's; ``early``: links where none may follow."""
    ours = said[-1]["leaf"] if said[-1]["kind"] == "decide" else None
    others = [(kind, signed) for kind, signed in entries if registry.entry_leaf(kind, signed) != ours]
    counted = taken(others, key, said[0]["message"]["log"])[1]
    for kind, signed in others:
        if kind == "decide" and registry.entry_leaf(kind, signed) in counted:
            message = read(signed)["message"]
            if message["admit"] == said[2]["leaf"].hex():
                # Two things that she signed; else one may have cut the file.
                twice = ours is not None or message["rounds"] < answered or message["previous"] in early
                return [["dis-log-5", "arbitrator" if twice else "unknown"]]
    return []


def check_decided(receipts, log, decide, admit, then):
    """``then``: what admit's receipts showed, if they did."""
    need(len(receipts) == 2, "InclusionError", "dis-decide-4", "two proofs")
    one, two = (registry.verify_receipt(r, leaf, log) for r, leaf in zip(receipts, (decide, admit), strict=True))
    need(one["note"] == two["note"], "InclusionError", "dis-decide-5", "two checkpoints", "registry")
    if then:
        grown = two["index"] == then["admit"] and one["index"] >= then["size"]
        need(grown, "InclusionError", "dis-decide-5", "not the same log, grown", "registry")
    return one


# --- making one ----------------------------------------------------------------------------------------------------


class Story:
    """A transcript in the making. Any field can be overridden, to say what should not be said."""

    def __init__(self, key_id, steps=(), chain=b""):
        self.key_id, self.steps, self.chain = key_id, list(steps), chain

    def say(self, kind, seed, attached=(), about=None, **fields):
        """Sign the next message and chain it; returns the signed object."""
        message = {"previous": self.chain.hex() if self.steps else None, "seq": len(self.steps)} | fields
        payload = canonical(statement(kind, message, ("key", about or self.key_id)))
        return self.add(commitment.sign(seed, payload), attached)

    def add(self, signed, attached=()):
        self.steps.append({"attached": list(attached), "message": signed, "receipts": []})
        self.chain = link(self.chain, signed)
        return signed

    def logged(self, receipts):
        last = self.steps[-1]
        self.steps[-1] = last | {"receipts": [b64(r) for r in receipts]}
        self.chain = link_logged(self.chain, receipts)

    def transcript(self):
        return canonical({"format": TRANSCRIPT, "steps": self.steps})
