"""Every domain-separation string and every type name of the protocol, in one place (specs/encoding.md)."""

from typing import Final, Literal

#: The second half of a tag ``<profile>/<word>``; the first field of every framed hash, PRF and stream input.
Word = Literal[
    "entry",  # a log entry's bytes
    "fs",  # beta by Fiat-Shamir
    "ghost",  # is a leaf a ghost
    "input",  # seed of a generated trigger
    "key",  # key_id
    "label",  # a leaf's label
    "leaf",  # a leaf of the commitment
    "leafkey",  # k_i
    "link",  # the transcript's chain
    "logged",  # the chain takes up the admission receipt
    "model",  # h_f
    "noise",  # bytes of a noise trigger
    "policy",  # an arbitrator's policy
    "root",  # subject of a key statement
    "suspect",  # the thing a dispute is about
    "tensor",  # a tensor's leaf
]

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"


def predicate_type(kind: str) -> str:
    """Return the in-toto predicate type of a statement: a tag URI (RFC 4151), which needs no domain."""
    return f"tag:wmproto,2025:{kind}/1"
