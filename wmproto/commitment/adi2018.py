"""Profile ``adi2018``: the paper's private scheme, to compare with. It is no evidence: its owner chooses the labels.

Nothing here is of ``wmproto/1``: other tags, no statement, no log, no leaf, no ghost, no bet. A false claim wins
against it (specs/adi2018.md), and that is what it is here for.

Source: Adi, Baum, Cisse, Pinkas, Keshet (USENIX Security 2018), section 5: KeyGen, Verify; Mark is
wmproto.marking.adi2018. Deviations, each with its reason, stand in specs/adi2018.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hmac import compare_digest

from wmproto.wire.profile import Profile

ADI2018 = Profile("adi2018")

#: An input's true label, or None where it has none; stands for the paper's oracle O^f, a human in practice.
GroundTruth = Callable[[bytes], int | None]


@dataclass(frozen=True, slots=True)
class MarkingKey:
    """mk: the backdoor b = (T, T_L) and the 2n strings that open its commitments. All of it is secret.

    Attributes:
        inputs: T, n raw inputs.
        labels: T_L, n class indices that the owner chose.
        input_salts: r_t, 32 bytes each.
        label_salts: r_L, 32 bytes each.
    """

    inputs: tuple[bytes, ...] = field(repr=False)
    labels: tuple[int, ...] = field(repr=False)
    input_salts: tuple[bytes, ...] = field(repr=False)
    label_salts: tuple[bytes, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if not len(self.inputs) == len(self.labels) == len(self.input_salts) == len(self.label_salts) > 0:
            raise ValueError("a marking key holds n inputs, n labels and 2n salts, n at least 1")


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """vk: 2n commitments, to inputs and to labels separately. Public, and to be published before the model is.

    Attributes:
        inputs: c_t, 32 bytes each.
        labels: c_L, 32 bytes each.
    """

    inputs: tuple[bytes, ...]
    labels: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What Verify found.

    Attributes:
        accepted: The scheme's output bit.
        misses: Triggers whose answer was not their label.
        allowed: floor(n/10) of them are forgiven.
        reason: Why it was refused before any trigger was asked; empty otherwise.
    """

    accepted: bool
    misses: int
    allowed: int
    reason: str = ""


def commit_input(value: bytes, salt: bytes) -> bytes:
    """c_t = H("input", t, r_t) under this profile's tags."""
    return ADI2018.hash("input", value, _salt(salt))


def commit_label(label: int, salt: bytes) -> bytes:
    """c_L = H("label", T_L, r_L) under this profile's tags."""
    return ADI2018.hash("label", label, _salt(salt))


def _salt(salt: bytes) -> bytes:
    if len(salt) != 32:
        raise ValueError("a salt has 32 bytes")
    return salt


def sample_labels(
    inputs: Sequence[bytes], classes: int, *, random: Callable[[int], bytes], truth: GroundTruth | None = None
) -> tuple[int, ...]:
    """T_L as an honest owner draws it: uniform over the classes that are not the input's true one.

    Args:
        inputs: T.
        classes: |L|, at least 2.
        random: Returns that many fresh bytes.
        truth: The oracle; None for generated triggers, which have no true label.

    Raises:
        ValueError: Fewer than 2 classes.
    """
    if classes < 2:
        raise ValueError("needs at least 2 classes")
    labels = []
    for value in inputs:
        true = None if truth is None else truth(value)
        if true is None or not 0 <= true < classes:
            true = classes  # excludes none
        drawn = ADI2018.draw(classes - (true < classes), "label", random(32))
        labels.append(drawn + (drawn >= true))
    return tuple(labels)


def key_gen(
    inputs: Sequence[bytes], labels: Sequence[int], *, random: Callable[[int], bytes]
) -> tuple[MarkingKey, VerificationKey]:
    """KeyGen (section 5.1, from a backdoor that its owner chose).

    Args:
        inputs: T, 1 or more.
        labels: T_L, as many class indices.
        random: Returns that many fresh bytes.

    Raises:
        ValueError: Not as many labels as inputs, or none.
    """
    mk = MarkingKey(
        inputs=tuple(inputs),
        labels=tuple(labels),
        input_salts=tuple(random(32) for _ in inputs),
        label_salts=tuple(random(32) for _ in labels),
    )
    vk = VerificationKey(
        inputs=tuple(map(commit_input, mk.inputs, mk.input_salts)),
        labels=tuple(map(commit_label, mk.labels, mk.label_salts)),
    )
    return mk, vk


def verify(
    mk: MarkingKey, vk: VerificationKey, classify: Callable[[bytes], int | None], *, truth: GroundTruth | None = None
) -> Decision:
    """Verify (section 5.3): the steps in their order; refused at the first that fails.

    Args:
        mk: The marking key; from now on whoever verifies knows it.
        vk: The verification key as it was published.
        classify: Raw input to class index, or None for no answer (a miss): the suspect.
        truth: The oracle; None for generated triggers.
    """
    n = len(mk.inputs)
    allowed = n // 10
    if truth is not None and any(truth(t) == y for t, y in zip(mk.inputs, mk.labels, strict=True)):
        return Decision(accepted=False, misses=0, allowed=allowed, reason="a trigger's label is its true one")
    opened = [*map(commit_input, mk.inputs, mk.input_salts), *map(commit_label, mk.labels, mk.label_salts)]
    published = [*vk.inputs, *vk.labels]
    same = [compare_digest(ours, theirs) for ours, theirs in zip(opened, published, strict=False)]
    if len(vk.inputs) != n or len(vk.labels) != n or not all(same):
        return Decision(accepted=False, misses=0, allowed=allowed, reason="a commitment does not open")
    misses = sum(classify(t) != y for t, y in zip(mk.inputs, mk.labels, strict=True))
    return Decision(accepted=misses <= allowed, misses=misses, allowed=allowed)
