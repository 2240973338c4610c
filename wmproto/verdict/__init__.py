"""Exact statistics of the verdict: integers only, standard library only, no torch and no numpy (`specs/verdict.md`).

Import from the modules: ``wealth`` (the betting rule, leaf by leaf), ``bound``, ``tail`` (ghosts), ``closed_form``,
``plan``. An audit loads the first three alone.
"""
