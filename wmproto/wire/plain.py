"""Other people's words for a reader: no name moves a cursor, turns the text around, or looks like another name."""

import re

# Unicode calls these printable, and yet they show nothing, or a blank: fillers, vowels without a sign, selectors.
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def plain(text: str) -> str:
    """The text with everything that cannot be seen, control and direction characters above all, as an escape."""
    if text.isprintable() and not _BLANK.search(text):  # nearly all: dispute show prints thousands of lines
        return text
    return "".join(c if c.isprintable() and not _BLANK.match(c) else ascii(c)[1:-1] for c in text)
