"""Primitives as the specification fixes them: Merkle tree, signatures, secret files, beacon."""
