"""Disputes for the tests of the page, with class names and words that try to break out of it."""

from functools import cache
from html.parser import HTMLParser
from unittest import mock

import forge
import world
from forge import Play, cast

from wmproto.commitment.builder import Commitment, commit, key_payload
from wmproto.commitment.statement import InputSpec, verify_key
from wmproto.report import ReportedDispute
from wmproto.wire.profile import WMPROTO_1

#: Class names, a title and the claimant's words, each a piece of an attack on HTML, SVG, an attribute or a reader.
SCRIPT = "<script>alert(1)</script>"
HOSTILE = (SCRIPT, "\"' onload='alert(1)", "</svg><b>", "]]>&lt;{{7*7}}", "abc\u202egnp.exe")
SUSPECT = "the </svg> \"suspect\" <img src=x onerror=alert(1)> 'of' http://evil.example/ \u202eabc"
TITLE = '"><svg onload=alert(1)></title>\u202e</desc></svg>.json'


@cache
def named_key(n, classes, shape=(2, 2, 3), name="named"):
    """(verified key, commitment) with these class names and this shape."""
    spec = InputSpec(dtype="uint8", kind="image", shape=shape)

    def picture(index, seed):
        return bytes((index + at) % 256 for at in range(spec.size_bytes))

    keyctx, owner = world.seed(f"{name} keyctx"), forge.OWNER
    leaves = Commitment(profile=WMPROTO_1, master=world.seed(name), keyctx=keyctx, count=n, spec=spec, source=picture)
    z = commit(leaves, profile=WMPROTO_1, keyctx=keyctx, spec=spec, classes=classes, owner=owner.public)
    return verify_key(owner.envelope(key_payload(z, WMPROTO_1)), profile=WMPROTO_1), leaves


def named_cast(classes=HOSTILE, *, n=32, shape=(2, 2, 3)):
    """A cast whose key has these class names."""
    with mock.patch.object(forge, "_key", return_value=named_key(n, classes, shape)):
        return cast(n)


def reported(play, title="transcript.json", **kw):
    """The play as a dispute of the page."""
    return ReportedDispute.of(title, play.transcript(), **kw)


@cache
def hostile():
    """A dispute in which everything that a party may choose is hostile."""
    of = named_cast()
    return reported(Play(of, of.thief([1, 2, 3])).whole(2, "NOT SHOWN", suspect=SUSPECT), TITLE)


@cache
def dependent():
    """A DEPENDENT that is reached within the second round, checked under a trust file."""
    of = cast(classes=1000)
    return reported(Play(of).whole(2, "DEPENDENT"), "dependent.json", trust=of.trust)


@cache
def stranger():
    """A NOT SHOWN of a model that misses everything."""
    of = cast(n=64, classes=1000)
    return reported(Play(of, of.thief(range(64))).whole(4, "NOT SHOWN"), "stranger.json", trust=of.trust)


@cache
def inadmissible():
    """A claim over a range that is no whole number of rounds; the arbitrator has not decided."""
    return reported(Play(cast(n=64, classes=1000)).begin(start=16, count=24), "inadmissible.json")


@cache
def unfinished():
    """One round in which some leaves are not opened, and one that is only answered."""
    play = Play(cast(classes=1000, name="unfinished")).begin()
    play.round(range(4))
    return reported(play.ask().answer(), "unfinished.json")


@cache
def unheard():
    """A file, and nothing after it."""
    return reported(Play(cast(classes=1000)).file(), "unheard.json")


class Tree(HTMLParser):
    """Reads a page as a browser does, and keeps elements, text and attributes; fails on crossed or open tags."""

    VOID = frozenset({"meta", "img", "br", "col"})

    def __init__(self, page):
        super().__init__()
        self.elements, self.text, self.open = [], [], []
        self.feed(page)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.text += [" "] * (tag in ("td", "th"))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)

    def all(self, *tags):
        """Attributes of every element with one of these tags."""
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def words(self):
        """All text with single spaces."""
        return " ".join("".join(self.text).split())
