"""Attacks on a model behind an interface: a model of the attacker's own is trained on its answers."""
