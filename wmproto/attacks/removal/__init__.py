"""Attacks on the weights of a stolen model."""
