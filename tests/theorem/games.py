"""The false-claim game at reduced thresholds: an accuser who knows all her labels against the rule of a dispute.

Keys are real: leaves, root, Z, key_id, beta, labels and ghost bits come from the package's own functions under a
test-only profile of 7 to 12 bits, drawn once a process and shared by all games. The verdict is the real rule D13
(``wmproto.verdict``). What is simulated is the talking: no signatures, no log. ``test_harness.py`` shows that the court
here counts leaf by leaf as ``Tally`` and the dispute machine do.

The accuser is granted what the protocol grants with Fiat-Shamir labels: every label and ghost bit of every key she
makes, every answer of every suspect beforehand, the choice of key, suspect, start, stop, and of the leaves that she
refuses to open. Suspects know all inputs and all labels opened so far, and nothing of the other labels (H0).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from math import comb

from scipy.stats import beta as beta_law

from wmproto.commitment.builder import Commitment, InputSource, commit, key_payload
from wmproto.commitment.labels import Labels
from wmproto.commitment.statement import InputSpec, KeyStatement, VerifiedKey, verify_key
from wmproto.crypto.signer import Signer
from wmproto.verdict.closed_form import least_hits
from wmproto.verdict.wealth import FRACTIONS, Wealth
from wmproto.wire.profile import Profile

ALARM = 1e-6
"""Chance that a comparison rejects a true bound; Clopper and Pearson (1934), one-sided."""

CLASSES = 10
SPEC = InputSpec(dtype="uint8", kind="image", shape=(1, 1, 4))
OWNER = Signer(sha256(b"wmproto theorem owner").digest())


def reduced(bits: int) -> Profile:
    """The test-only profile with L = bits (7 to 12): its own name, so that nothing made under it passes elsewhere."""
    if not 7 <= bits <= 12:
        raise ValueError("the theorem is tested at 7 to 12 bits")
    return Profile("wmproto-test/1", target_bits=4, kappa_beacon=bits - 4, kappa_fiat_shamir=bits - 4)


PROFILE = reduced(7)  # labels do not depend on L


# --- statistics --------------------------------------------------------------------------------------------------


def lower_limit(successes: int, trials: int) -> float:
    """Clopper-Pearson lower limit of a rate at level ALARM."""
    return float(beta_law.ppf(ALARM, successes, trials - successes + 1)) if successes else 0.0


def upper_limit(successes: int, trials: int) -> float:
    """Clopper-Pearson upper limit of a rate at level ALARM."""
    return float(beta_law.ppf(1 - ALARM, successes + 1, trials - successes)) if successes < trials else 1.0


def rate_bound_holds(successes: int, trials: int, bound: float) -> bool:
    """Whether the trials are compatible with a rate of at most ``bound``: false alarms at most 1e-6."""
    return lower_limit(successes, trials) <= bound


def rate_is(successes: int, trials: int, rate: float) -> bool:
    """Whether the trials are compatible with exactly this rate: false alarms at most 2e-6."""
    return lower_limit(successes, trials) <= rate <= upper_limit(successes, trials)


@dataclass(frozen=True)
class Score:
    """How many of independent trials the accuser won."""

    wins: int
    trials: int

    def holds(self, bound: float) -> bool:
        return rate_bound_holds(self.wins, self.trials, bound)


def play(game: str, wins: Iterable[bool]) -> Score:
    """Count the trials of a game; pytest shows the line with -rP."""
    results = [bool(won) for won in wins]
    score = Score(sum(results), len(results))
    low = lower_limit(score.wins, score.trials)
    print(f"{game:<58} {score.wins:5}/{score.trials:<5} = {score.wins / score.trials:.4f}, surely above {low:.4f}")
    return score


def bound_and_twin(bound: float, right: Score, *broken: Score, least: int = 1, exact: float | None = None) -> None:
    """The check of each game: the right rule keeps the bound, and each broken rule is caught by the same comparison.

    Args:
        bound: What the theorem gives for that many tries, below 1.
        right: The score against the right rule.
        *broken: Scores against rules broken in one place.
        least: Wins that the right rule must show, so that the comparison is not one of nothing with something.
        exact: The right rule's exact rate where it is known: a rule that only became laxer is caught by it.
    """
    assert bound < 1
    assert right.holds(bound)
    assert right.wins >= least
    if exact is not None:
        assert exact <= bound
        assert rate_is(right.wins, right.trials, exact)
    for score in broken:
        assert not score.holds(bound)


# --- keys --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """A key whose labels its owner knows."""

    verified: VerifiedKey
    inputs: tuple[bytes, ...]
    leaf_keys: tuple[bytes, ...]
    labels: tuple[int, ...]
    ghosts: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.labels)


def seed(*parts: object) -> bytes:
    """32 bytes that are the same in each run."""
    return sha256(repr(("wmproto theorem", *parts)).encode()).digest()


def rng(*parts: object) -> random.Random:
    return random.Random(seed(*parts))


def class_names(classes: int, note: str = "") -> tuple[str, ...]:
    return tuple(f"c{i}{note}" for i in range(classes))


def keyed(_index: int, drawn: bytes) -> bytes:
    """A tiny input that follows from the leaf's seed."""
    return drawn[: SPEC.size_bytes]


def commitment(name: object, leaves: int, source: InputSource = keyed) -> Commitment:
    """Real leaves over tiny inputs."""
    return Commitment(
        profile=PROFILE,
        master=seed("master", name),
        keyctx=seed("keyctx", name),
        count=leaves,
        spec=SPEC,
        source=source,
    )


def statement(leaves: Commitment, name: object, names: Sequence[str]) -> KeyStatement:
    return commit(leaves, profile=PROFILE, keyctx=seed("keyctx", name), spec=SPEC, classes=names, owner=OWNER.public)


def born(z: KeyStatement) -> VerifiedKey:
    """The key that these very bytes of Z are: signed and verified like any other."""
    return verify_key(OWNER.envelope(key_payload(z, PROFILE)), profile=PROFILE)


def make_key(name: object, *, leaves: int, classes: int = CLASSES, source: InputSource = keyed) -> Key:
    tree = commitment(name, leaves, source)
    verified = born(statement(tree, name, class_names(classes)))
    labels, secrets = Labels(verified), tuple(map(tree.leaf_key, range(leaves)))
    return Key(
        verified=verified,
        inputs=tuple(map(tree.input, range(leaves))),
        leaf_keys=secrets,
        labels=tuple(map(labels.label, range(leaves), secrets)),
        ghosts=tuple(map(labels.is_ghost, range(leaves), secrets)),
    )


def relabelled(key: Key, m: int) -> Key:
    """The same key with labels drawn on m classes: a Z of m class names would be long."""
    born = key.verified.key_id, key.verified.beta
    labels = tuple(PROFILE.draw(m, "label", *born, i, k) for i, k in enumerate(key.leaf_keys))
    return replace(key, labels=labels)


_TABLES: dict[tuple[int, int], list[Key]] = {}


def keys(count: int, leaves: int = 64, classes: int = CLASSES) -> Sequence[Key]:
    """The first ``count`` keys of a table that all games of this process share."""
    table = _TABLES.setdefault((leaves, classes), [])
    table += (make_key((leaves, classes, n), leaves=leaves, classes=classes) for n in range(len(table), count))
    return table[:count]


def groups(items: Sequence[Key], size: int) -> Iterator[Sequence[Key]]:
    """Disjoint groups: the keys of one accuser each."""
    return (items[i : i + size] for i in range(0, len(items) - size + 1, size))


# --- suspects ----------------------------------------------------------------------------------------------------

#: ``suspect(inputs, i, opened)``: the answer to leaf i by a model that knows the inputs of the whole key and, by
#: calling ``opened``, the labels of the leaves asked before i: all that H0 allows.
Suspect = Callable[[Sequence[bytes], int, Callable[[], Sequence[int]]], "int | None"]


def constant(answer: int) -> Suspect:
    """Always the same class."""
    return lambda _inputs, _i, _opened: answer


def hashed(salt: object, classes: int = CLASSES) -> Suspect:
    """A fixed function of the input, another for each salt: an ordinary model."""
    prefix = seed("suspect", salt)
    return lambda inputs, i, _opened: int.from_bytes(sha256(prefix + inputs[i]).digest()[:8], "big") % classes


def skewed(classes: int = CLASSES) -> Suspect:
    """Class 0 for about seven inputs of ten."""
    return lambda inputs, i, _opened: 0 if inputs[i][0] < 179 else 1 + inputs[i][1] % (classes - 1)


def shifted(by: int, byte: int, classes: int = CLASSES) -> Suspect:
    """One byte of the input, shifted: for all ``by`` together exactly one is right on each leaf."""
    return lambda inputs, i, _opened: (inputs[i][byte] + by) % classes


def ranking(classes: int = CLASSES) -> Suspect:
    """An adversary who knows all inputs: the rank of this one among them."""
    return lambda inputs, i, _opened: sum(x < inputs[i] for x in inputs) % classes


def follower(classes: int = CLASSES) -> Suspect:
    """An adversary who watches: the label after the one opened last."""
    return lambda _inputs, _i, opened: (sum(opened()[-1:]) + 1) % classes


# --- the court ---------------------------------------------------------------------------------------------------


@cache
def boundary(m: int, bits: int, most: int) -> tuple[int, ...]:
    """Fewest hits that fire after n marked leaves, n = 0 to most, by the real rule; n + 1 if none do."""
    least = (least_hits(m, n, bits) for n in range(most + 1))
    return tuple(n + 1 if t is None else t for n, t in enumerate(least))


def fires(steps: Sequence[bool], m: int, bits: int) -> bool:
    """Whether E >= 2**bits after some prefix of marked leaves (hit or miss)."""
    edge, hits = boundary(m, bits, 64 if len(steps) <= 64 else 512), 0
    for n, hit in enumerate(steps, 1):
        hits += hit
        if hits >= edge[n]:
            return True
    return False


@cache
def evidence(m: int, n: int, hits: int) -> float:
    """E after n marked leaves, from the real gamblers; for broken rules that compute with it."""
    wealth = Wealth.start(m)
    for i in range(n):
        wealth = wealth.hit() if i < hits else wealth.miss()
    return sum(wealth.terms) / (len(FRACTIONS) << 5 * n)


Opens = Callable[[int], bool]


@dataclass(frozen=True)
class Court:
    """Judges a dispute by the rule of sections 8.7 and 8.8 at L = bits.

    One suspect, one contiguous range that starts on the grid, leaves in index order; not answered, not opened = a
    marked miss; an opened ghost counts for nothing.
    """

    bits: int
    m: int = CLASSES

    def answers(self, key: Key, suspect: Suspect, start: int = 0, count: int | None = None) -> list[int | None]:
        """What the suspect answers along a range: also the accuser's dry run."""
        end = len(key) if count is None else start + count
        return [suspect(key.inputs, i, lambda i=i: key.labels[start:i]) for i in range(start, end)]

    def steps(
        self, key: Key, suspect: Suspect, start: int = 0, count: int | None = None, opens: Opens = lambda _i: True
    ) -> list[bool]:
        """The marked leaves of a range: hit or miss each."""
        profile, n = key.verified.profile, len(key)
        count = n - start if count is None else count
        if start % profile.start_grid(n) or count % profile.round_leaves or not 0 < count <= n - start:
            raise ValueError("the machine refuses this range")
        steps = []
        for i, answer in enumerate(self.answers(key, suspect, start, count), start):
            if not opens(i):
                steps.append(False)
            elif not key.ghosts[i]:
                steps.append(answer == key.labels[i])
        return steps

    def dependent(
        self, key: Key, suspect: Suspect, start: int = 0, count: int | None = None, opens: Opens = lambda _i: True
    ) -> bool:
        """The verdict of one dispute. Stopping early is no use to her: the rule looks after every leaf."""
        return fires(self.steps(key, suspect, start, count, opens), self.m, self.bits)

    def starts(self, key: Key) -> range:
        return range(0, len(key), key.verified.profile.start_grid(len(key)))


def exact_rate(m: int, bits: int, leaves: int) -> float:
    """Chance that a label-independent suspect is DEPENDENT within a range of so many leaves, one in four a ghost.

    Paths of hits and misses are counted leaf by leaf in integers: no simulation, nothing rounded but the last division.
    """
    edge = boundary(m, bits, leaves)
    alive, done, total = {0: 1}, 0, 0  # ways (over m**n) to have h hits and not to have fired
    for n in range(leaves + 1):
        if n:
            grown: dict[int, int] = {}
            for h, ways in alive.items():
                grown[h] = grown.get(h, 0) + ways * (m - 1)
                grown[h + 1] = grown.get(h + 1, 0) + ways
            done *= m
            done += sum(ways for h, ways in grown.items() if h >= edge[n])
            alive = {h: ways for h, ways in grown.items() if h < edge[n]}
        total += comb(leaves, n) * 3**n * done * m ** (leaves - n)  # n of the leaves are marked
    return total / (4 * m) ** leaves
