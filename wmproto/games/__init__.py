"""The security games: challenger, adversary, winning condition; grids of them, and what is reported (specs/games.md).

Import from the modules. ``record`` and ``grid`` need no torch; what plays does.
"""
