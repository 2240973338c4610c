"""Attacks, one file each: on marked models (removal, extraction, evasion) and on owners' claims (claim). Needs torch.

Who writes one reads ``attack`` (what an attack is), ``view`` (what it is given) and ``budget`` (how it is counted).
Nothing in removal, extraction or evasion can import a commitment, a trigger or a mark: import-linter holds it.
"""
