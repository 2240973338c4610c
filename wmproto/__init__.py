"""wmproto: prove that a model depends on your secret marks, and that nobody can prove it falsely.

The public names live in the packages; nothing is imported here, so that a recheck of a transcript starts fast.
"""

__version__ = "0.1.0"
