"""The commitment: statement Z, leaves, openings, and the birth of labels (specs/commitment.md).

Import from the modules: ``statement``, ``leaf``, ``labels``, ``opening``, and ``builder`` for the owner's side. An
audit loads all but the last.
"""
