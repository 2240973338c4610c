"""Marking schemes, one file each: they put activated leaves into the owner's own training loop. Needs torch."""

from wmproto.marking.adi import MarkedLoader, Retention, self_check
from wmproto.marking.leaves import MarkedLeaves

__all__ = ["MarkedLeaves", "MarkedLoader", "Retention", "self_check"]
