"""Other people's words on a terminal: no name of a suspect or a class moves the cursor or turns the text around."""


def plain(text: str) -> str:
    """The text with everything that does not print, control and direction characters above all, as an escape."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def short(key: bytes) -> str:
    """The first 8 bytes of a public key or digest: enough to recognise one among a few, not to trust it."""
    return key.hex()[:16]
