"""Entries of all types, by two signers; and the seed of the log's key."""

from hashlib import sha256

from log_samples import OWNER, STRANGER, signed

from wmproto.registry.submission import ENTRY_TYPES

SEED = sha256(b"log").digest()  # of log_samples.LOG


def entry(n):
    kind = ENTRY_TYPES[n % 4]
    return kind, signed(n, kind, (OWNER, STRANGER)[n % 3 == 0])
