"""RFC 6962 section 2.1.2: one tree is the beginning of another. For witnesses, monitors, and judges of forks."""

from collections.abc import Sequence

from wmproto.crypto.merkle import node_hash
from wmproto.errors import InclusionError
from wmproto.wire.framing import sha256

_RULE = "enc-tree-5"


def verify_consistency(*, old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Check that the first ``old`` leaves of the tree (new, new_root) have the root ``old_root``.

    A valid proof for two different ``old_root`` would be a collision of SHA-256. So one that leads to another root than
    a log signed for that size convicts the log (registry/fork.py).

    Args:
        old: Size of the older tree; the proof of 0 is empty.
        new: Size of the newer tree; the proof of a tree to itself is empty.
        proof: Hashes, 32 bytes each.
        old_root: Root of the older tree, 32 bytes.
        new_root: Root of the newer tree, 32 bytes.

    Raises:
        InclusionError: Not so, sizes out of order, or a proof of the wrong length.

    Source: RFC 9162 section 2.1.4.2 (the hashes are those of RFC 6962); that of size 0 is tlog-witness's.
    """
    if not 0 <= old <= new:
        raise InclusionError("consistency proof from a larger tree to a smaller one", rule=_RULE)
    if old in (0, new):
        if proof or old_root != (new_root if old else sha256(b"")) or (new == 0 and new_root != old_root):
            raise InclusionError("consistency proof of other trees, or not empty", rule=_RULE)
        return
    hashes = list(proof) if old & (old - 1) else [old_root, *proof]
    if len(hashes) < 2:
        raise InclusionError("consistency proof has the wrong length", rule=_RULE)
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    small = large = hashes[0]
    for sibling in hashes[1:]:
        if not last:
            raise InclusionError("consistency proof has the wrong length", rule=_RULE)
        if at & 1 or at == last:
            small, large = node_hash(sibling, small), node_hash(sibling, large)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            large = node_hash(large, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise InclusionError("consistency proof has the wrong length", rule=_RULE)
    if (small, large) != (old_root, new_root):
        raise InclusionError("consistency proof leads to other roots", rule=_RULE)
