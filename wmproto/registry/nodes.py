"""Which complete subtrees make up a tree, its proofs and its growth (RFC 6962 section 2.1). Numbers in, no hashes.

A log stores the hashes of complete subtrees only, as node ``index`` of ``level``: 2**level leaves from index * 2**level
on. Every other hash of the tree is made of a handful of them.
"""

from __future__ import annotations

__all__ = ["Node", "Span", "consistency_spans", "cover", "inclusion_spans", "new_nodes"]

Node = tuple[int, int]  # level, index
Span = tuple[int, int]  # the subtree over the leaves from start to end (exclusive)


def cover(start: int, end: int) -> list[Node]:
    """The complete nodes that a subtree is made of, from left to right; ``start`` is a multiple of its width."""
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def inclusion_spans(index: int, size: int) -> list[Span]:
    """The siblings on the way from leaf ``index`` up to the root of ``size`` leaves: an inclusion proof."""
    spans, start, end = [], 0, size
    while end - start > 1:
        split = _split(start, end)
        spans.append((split, end) if index < split else (start, split))
        start, end = (start, split) if index < split else (split, end)
    return spans[::-1]


def consistency_spans(old: int, new: int) -> list[Span]:
    """The hashes that show the first ``old`` of ``new`` leaves to be a beginning of them: a consistency proof."""
    if old in (0, new):
        return []
    spans, start, end, whole = [], 0, new, True
    while old != end:
        split = _split(start, end)
        if old <= split:
            spans.append((split, end))
            end = split
        else:
            spans.append((start, split))
            start, whole = split, False
    return (spans if whole else [*spans, (start, end)])[::-1]


def new_nodes(index: int) -> list[Node]:
    """The nodes that the leaf ``index`` completes, upwards; each but the first is of the last one and its left."""
    nodes = [(0, index)]
    while index & 1:
        index >>= 1
        nodes.append((len(nodes), index))
    return nodes


def _split(start: int, end: int) -> int:
    """Where the left subtree ends: it is the largest power of two below the width."""
    return start + (1 << (end - start - 1).bit_length() - 1)
