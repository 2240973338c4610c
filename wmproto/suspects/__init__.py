"""How to ask a model: one raw input in, one class index out."""

from wmproto.suspects.oracle import CallableSuspect, Library, Settings, Suspect, best_class

__all__ = ["CallableSuspect", "Library", "Settings", "Suspect", "best_class"]
