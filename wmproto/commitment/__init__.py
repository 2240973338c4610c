"""The commitment: statement Z, leaves, openings, and the birth of labels (specs/commitment.md)."""

from wmproto.commitment.builder import Commitment, commit
from wmproto.commitment.labels import Labels
from wmproto.commitment.leaf import leaf_key, leaf_value
from wmproto.commitment.opening import Opening, verify_opening
from wmproto.commitment.statement import InputSpec, KeyStatement, VerifiedKey, verify_key

__all__ = [
    "Commitment",
    "InputSpec",
    "KeyStatement",
    "Labels",
    "Opening",
    "VerifiedKey",
    "commit",
    "leaf_key",
    "leaf_value",
    "verify_key",
    "verify_opening",
]
