"""The registry: an append-only log of keys, releases and disputes that any C2SP client can read (specs/registry.md)."""
