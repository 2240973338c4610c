"""Canonical bytes: framing, domain separation, JSON, signed objects. Trusts nothing, knows no protocol state."""
