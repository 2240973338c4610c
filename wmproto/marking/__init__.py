"""Marking schemes, one file each: they put activated leaves into the owner's own training loop. Needs torch."""
