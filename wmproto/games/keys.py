"""The owner's side of both profiles, as the challenger plays it: keys that follow from a seed, and the rule over them.

A key of a game is real: the leaves, the root, Z, key_id, beta, labels and ghost bits, openings and the count come from
the package's own functions. What a game leaves out is the talking: no log entry is written and no message signed
(tests/games hold that a real dispute with its audit says the same). Its secrets follow from the seed of an experiment:
never use such a key for anything else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from wmproto.attacks.claim.claim import Forgery
from wmproto.commitment.adi2018 import MarkingKey, key_gen, sample_labels, verify
from wmproto.commitment.builder import Commitment, InputSource, commit, key_payload
from wmproto.commitment.labels import Labels
from wmproto.commitment.leaf import inputs_hash
from wmproto.commitment.opening import Opening
from wmproto.commitment.statement import InputSpec, verify_key
from wmproto.crypto.signer import Signer
from wmproto.dispute.messages import AskedLeaf
from wmproto.dispute.tally import Tally
from wmproto.marking.leaves import MarkedLeaves
from wmproto.triggers.noise import noise_input
from wmproto.verdict.tail import tail_at_least
from wmproto.verdict.wealth import floor_log2_ratio
from wmproto.wire.framing import frame
from wmproto.wire.profile import WMPROTO_1, Profile

__all__ = ["Adi2018Key", "Answer", "GameKey", "Ruling", "Wmproto1Key", "born", "drawn", "noise_inputs"]

Answer = Callable[[bytes], int | None]
Verdict = Literal["DEPENDENT", "NOT SHOWN", "ACCEPTED", "REFUSED"]
_NEVER = 1 << 40  # bits that no wealth reaches: what everything that was asked comes to


def drawn(seed: int, *what: str | int) -> bytes:
    """32 bytes of an experiment: of its seed and of what they are for."""
    return sha256(frame("wmproto game", seed, *what)).digest()


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rule of a profile says of a claim.

    Attributes:
        accepted: Whether it stands.
        verdict: In the profile's own word.
        bits: See wmproto.games.record.Evidence.
        asked: Inputs asked.
        leaves: Inputs asked until the verdict stood; None if it never did.
        hits: Labels hit among ``marks``.
        marks: Inputs asked that count.
        ghosts: Ghosts asked; None where there are none by the profile.
        ghost_hits: Ghosts hit.
        reason: Why the claim was refused before anything was asked; empty otherwise.
    """

    accepted: bool
    verdict: Verdict
    bits: int
    asked: int
    leaves: int | None
    hits: int
    marks: int
    ghosts: int | None = None
    ghost_hits: int | None = None
    reason: str = ""


class GameKey(ABC):
    """A key with all its secrets.

    Attributes:
        inputs: Raw inputs.
        labels: (n,) int64.
        ghosts: (n,) bool.
        shape: (H, W, C) of an input.
        classes: Number of classes.
        salt_bytes: Length of each salt of ``opened``.
    """

    inputs: tuple[bytes, ...]
    labels: NDArray[np.int64]
    ghosts: NDArray[np.bool_]
    shape: tuple[int, int, int]
    classes: int
    salt_bytes: ClassVar[int]

    @property
    @abstractmethod
    def published(self) -> bytes:
        """What everybody sees before the model is out."""

    @property
    @abstractmethod
    def name(self) -> bytes:
        """32 bytes that stand for it."""

    @abstractmethod
    def rule(
        self, answer: Answer, *, start: int = 0, count: int | None = None, forgery: Forgery | None = None
    ) -> Ruling:
        """Hear a claim under this key.

        Args:
            answer: The suspect: raw input to class index, or None.
            start: First input.
            count: Inputs offered; None: all.
            forgery: Opened with this instead of the key's own secrets; None: the owner opens.
        """

    @abstractmethod
    def check_range(self, start: int, count: int) -> None:
        """Raise ValueError unless a claim over these inputs can be heard."""

    @abstractmethod
    def opened(self) -> Forgery:
        """The key's own secrets, in the form of a forgery: what the cheater is told."""

    def marks(self) -> MarkedLeaves:
        """What is to be embedded."""
        raw = np.frombuffer(b"".join(self.inputs), np.uint8).reshape(len(self.inputs), *self.shape)
        kept = ~self.ghosts
        return MarkedLeaves(raw[kept], self.labels[kept], self.name)


def noise_inputs(seed: int, count: int, shape: tuple[int, int, int]) -> list[bytes]:
    """Uniform pictures, of the family that keys are made with by default."""
    return [noise_input(WMPROTO_1, drawn(seed, "noise", i), shape) for i in range(count)]


def born(
    owner: Signer,
    *,
    master: bytes,
    keyctx: bytes,
    count: int,
    shape: tuple[int, int, int],
    classes: int,
    source: InputSource,
    profile: Profile = WMPROTO_1,
) -> tuple[Commitment, Labels]:
    """Leaves over pictures of that shape, and their labels: a key that no log holds, of bytes that are given."""
    spec = InputSpec(dtype="uint8", kind="image", shape=shape)
    leaves = Commitment(profile=profile, master=master, keyctx=keyctx, count=count, spec=spec, source=source)
    names = [str(c) for c in range(classes)]
    z = commit(leaves, profile=profile, keyctx=keyctx, spec=spec, classes=names, owner=owner.public)
    return leaves, Labels(verify_key(owner.envelope(key_payload(z, profile)), profile=profile))


class Wmproto1Key(GameKey):
    """Profile ``wmproto/1``: labels born of the whole statement, by Fiat-Shamir.

    Args:
        inputs: N raw inputs; N as the profile allows.
        shape: Of an input.
        classes: Number of classes.
        seed: Of the secrets.
        who: Whose key it is, and which of his: other words give other secrets.
        profile: Another one in tests alone.
    """

    salt_bytes = 32

    def __init__(
        self,
        inputs: Sequence[bytes],
        *,
        shape: tuple[int, int, int],
        classes: int,
        seed: int,
        who: tuple[str | int, ...] = ("owner",),
        profile: Profile = WMPROTO_1,
    ) -> None:
        self.inputs, self.shape, self.classes = tuple(inputs), shape, classes
        self._leaves, labels = born(
            Signer(drawn(seed, "owner", *who)),
            master=drawn(seed, "master", *who),
            keyctx=drawn(seed, "keyctx", *who),
            count=len(inputs),
            shape=shape,
            classes=classes,
            source=lambda i, _: self.inputs[i],
            profile=profile,
        )
        self._key = labels.key
        salts = [self._leaves.leaf_key(i) for i in range(len(inputs))]
        self.labels = np.array([labels.label(i, k) for i, k in enumerate(salts)], np.int64)
        self.ghosts = np.array([labels.is_ghost(i, k) for i, k in enumerate(salts)], np.bool_)
        self.bits = profile.bits(beacon=False)

    @property
    def published(self) -> bytes:
        """The signed statement."""
        return self._key.envelope.to_bytes()

    @property
    def name(self) -> bytes:
        """key_id."""
        return self._key.key_id

    def opened(self) -> Forgery:
        """See GameKey."""
        salts = tuple(self._leaves.leaf_key(i) for i in range(len(self.inputs)))
        return Forgery(self.inputs, tuple(self.labels.tolist()), salts)

    def rule(
        self, answer: Answer, *, start: int = 0, count: int | None = None, forgery: Forgery | None = None
    ) -> Ruling:
        """Count leaf by leaf as a dispute does, to the end of the range; see GameKey."""
        end, rounds = len(self.inputs) if count is None else start + count, self._key.profile.round_leaves
        self.check_range(start, end - start)
        tally = Tally(self._key, [self.bits])
        for first in range(start, end, rounds):
            openings = {i: self._opening(i, forgery) for i in range(first, first + rounds)}
            asked = [AskedLeaf(index=i, inputs=inputs_hash(openings[i].inputs)) for i in openings]
            tally.round(asked, [answer(openings[i].inputs[0]) for i in openings], openings, "claimant")
        whole, fired = tally.evidence(_NEVER), tally.fired(self.bits)
        return Ruling(
            accepted=fired,
            verdict="DEPENDENT" if fired else "NOT SHOWN",
            bits=whole.wealth.floor_log2(),
            asked=whole.asked,
            leaves=tally.evidence(self.bits).asked if fired else None,
            hits=whole.wealth.hits,
            marks=whole.wealth.n,
            ghosts=whole.ghosts,
            ghost_hits=whole.ghost_hits,
        )

    def check_range(self, start: int, count: int) -> None:
        """Whole rounds that start on the grid; see GameKey."""
        profile, size = self._key.profile, len(self.inputs)
        off = start % profile.start_grid(size) or count % profile.round_leaves
        if off or not 0 <= start < start + count <= size:
            raise ValueError("a claim is over whole rounds that start on the grid")

    def _opening(self, index: int, forgery: Forgery | None) -> Opening:
        honest = self._leaves.open(index)
        if forgery is None:
            return honest
        shown = (forgery.inputs[index],)
        return honest.model_copy(update={"inputs": shown, "k": forgery.salts[index]})  # the path is no secret


class Adi2018Key(GameKey):
    """Profile ``adi2018``: labels that the owner chose.

    Args:
        inputs: n raw inputs.
        shape: Of an input.
        classes: Number of classes.
        seed: Of the secrets.
        who: As Wmproto1Key.
        labels: Chosen ones; None: drawn uniformly, as an honest owner does.
        truth: The oracle O^f, for the first step of Verify; None for generated triggers.
    """

    salt_bytes = 64

    def __init__(
        self,
        inputs: Sequence[bytes],
        *,
        shape: tuple[int, int, int],
        classes: int,
        seed: int,
        who: tuple[str | int, ...] = ("owner",),
        labels: Sequence[int] | None = None,
        truth: Callable[[bytes], int | None] | None = None,
    ) -> None:
        self.inputs, self.shape, self.classes, self._truth = tuple(inputs), shape, classes, truth
        counter = iter(range(1 << 62))

        def random(size: int) -> bytes:
            return drawn(seed, "salt", next(counter), *who)[:size]

        chosen = sample_labels(inputs, classes, random=random, truth=truth) if labels is None else labels
        self._mk, self._vk = key_gen(self.inputs, tuple(chosen), random=random)
        self.labels = np.array(self._mk.labels, np.int64)
        self.ghosts = np.zeros(len(inputs), np.bool_)

    @property
    def published(self) -> bytes:
        """vk: all commitments."""
        return b"".join([*self._vk.inputs, *self._vk.labels])

    @property
    def name(self) -> bytes:
        """The digest of vk."""
        return sha256(self.published).digest()

    def opened(self) -> Forgery:
        """See GameKey."""
        salts = zip(self._mk.input_salts, self._mk.label_salts, strict=True)
        return Forgery(self.inputs, self._mk.labels, tuple(b"".join(pair) for pair in salts))

    def rule(
        self, answer: Answer, *, start: int = 0, count: int | None = None, forgery: Forgery | None = None
    ) -> Ruling:
        """Verify; see GameKey. All triggers are asked: the scheme knows no ranges."""
        self.check_range(start, len(self.inputs) if count is None else count)
        mk, asked = self._claimed(forgery), len(self.inputs)
        decision = verify(mk, self._vk, answer, truth=self._truth)
        if decision.reason:
            return Ruling(
                accepted=False,
                verdict="REFUSED",
                bits=0,
                asked=0,
                leaves=None,
                hits=0,
                marks=asked,
                reason=decision.reason,
            )
        hits = asked - decision.misses
        above, whole = tail_at_least(self.classes, asked, hits)
        return Ruling(
            accepted=decision.accepted,
            verdict="ACCEPTED" if decision.accepted else "REFUSED",
            bits=floor_log2_ratio(whole, above),
            asked=asked,
            leaves=asked if decision.accepted else None,
            hits=hits,
            marks=asked,
        )

    def check_range(self, start: int, count: int) -> None:
        """All triggers; see GameKey."""
        if (start, count) != (0, len(self.inputs)):
            raise ValueError("adi2018 asks all triggers of a key")

    def _claimed(self, forgery: Forgery | None) -> MarkingKey:
        if forgery is None:
            return self._mk
        salts = [(salt[:32], salt[32:]) for salt in forgery.salts]
        return MarkingKey(forgery.inputs, forgery.labels, tuple(a for a, _ in salts), tuple(b for _, b in salts))
