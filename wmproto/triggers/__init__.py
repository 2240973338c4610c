"""Where a key's inputs come from: keyed families, and the owner's own pictures (specs/triggers.md)."""

from wmproto.triggers.folder import Pictures, load_folder
from wmproto.triggers.noise import noise_input

__all__ = ["Pictures", "load_folder", "noise_input"]
