"""Shared by all tests: a fixed Hypothesis profile, so that CI is deterministic."""

from hypothesis import settings

settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci")
