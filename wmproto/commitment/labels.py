"""Activation: labels and ghost bits are born (specs/commitment.md, com-label-1 and 2).

They hang on the whole statement (through key_id and beta) and on the leaf's secret key. There is no way to ask for the
label of a leaf without the statement that fixes all leaves: labels per leaf could be ground leaf by leaf.
"""

from dataclasses import dataclass

from wmproto.commitment.statement import VerifiedKey


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels and ghost bits of one verified key.

    Args:
        key: The key; its beta is already fixed by its statement.
    """

    key: VerifiedKey

    def label(self, index: int, k: bytes) -> int:
        """y_i: the class index drawn for leaf ``index`` with leaf key ``k`` (32 bytes)."""
        key = self.key
        return key.profile.draw(key.z.m, "label", key.key_id, key.beta, index, k)

    def is_ghost(self, index: int, k: bytes) -> bool:
        """Whether the leaf is never embedded: decoy and control."""
        key = self.key
        return key.profile.draw(key.profile.ghost_one_in, "ghost", key.key_id, key.beta, index, k) == 0
