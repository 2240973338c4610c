"""Adversaries of the security games, one file an attack. Needs torch; nothing but the command line imports it."""
