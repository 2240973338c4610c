"""The owner's side on disk and in memory: a key folder, its activation, and what may be embedded."""

from wmproto.owner.activated import ActivatedKey, activate
from wmproto.owner.folder import KeyFolder

__all__ = ["ActivatedKey", "KeyFolder", "activate"]
