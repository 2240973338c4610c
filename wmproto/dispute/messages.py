"""The messages of a dispute (specs/dispute.md): one frozen class a message, each signed by one party.

Every message is an in-toto Statement about the key (subject ``key``, digest key_id) and holds its sequence number and
the previous link of the chain.
"""

from typing import Annotated, Literal, TypeVar

from pydantic import Field

from wmproto.commitment.opening import Opening
from wmproto.crypto.signing import verify_envelope
from wmproto.errors import FormatError
from wmproto.wire.dsse import Envelope, Statement, claims_kind
from wmproto.wire.profile import Profile
from wmproto.wire.schema import B64, Hex32, Text, Uint, Wire

VerdictName = Literal["DEPENDENT", "NOT SHOWN", "INADMISSIBLE"]
_Note = Annotated[str, Field(max_length=16384)]
_Bits = Annotated[int, Field(ge=0, le=4096)]


class Message(Wire):
    """What every message holds: its place in the chain."""

    previous: Hex32 | None
    seq: Uint


class Policy(Wire):
    """What an arbitrator asks for beyond the profile; she may ask for more, never for less.

    Attributes:
        bits: Least L.
        suspects_log2: log2 of S, the suspects within reach of the claimant.
    """

    bits: _Bits
    suspects_log2: Annotated[int, Field(ge=24, le=256)]

    def digest(self, profile: Profile) -> bytes:
        """H("policy", canonical policy), 32 bytes: what ``file`` is addressed to."""
        return profile.hash("policy", self.to_bytes())


class Library(Wire):
    """A library that the answers came from, pinned by the digest of its installed files."""

    digest: Hex32
    name: Text
    version: Text


class Settings(Wire):
    """How the suspect is run in escrow."""

    batch: Literal[1]
    dtype: Literal["float32"]
    libraries: Annotated[tuple[Library, ...], Field(max_length=16)]
    threads: Literal[1]


class File(Message):
    """The claimant files: which key, against what, over which leaves, before which arbitrator and log.

    Attributes:
        access: ``W`` (weights in escrow).
        arbitrator: The one arbitrator it is addressed to.
        count: Leaves offered, a multiple of 16.
        key_entry: Leaf of the key's log entry.
        key_receipt: Its receipt.
        log: vkey of the one log.
        policy: Digest of the arbitrator's policy.
        profile: Name of the profile.
        release_entry: Leaf of the release's log entry, or None.
        release_receipt: Its receipt, or None.
        start: First leaf, on the grid.
        suspect: The suspect in words.
        time_evidence: Empty with Fiat-Shamir.
    """

    access: Literal["W", "T", "B", "H"]
    arbitrator: Hex32
    count: Uint
    key_entry: Hex32
    key_receipt: B64
    log: Annotated[str, Field(max_length=1024)]
    policy: Hex32
    profile: Text
    release_entry: Hex32 | None
    release_receipt: B64 | None
    start: Uint
    suspect: Text
    time_evidence: Annotated[tuple[B64, ...], Field(max_length=16)]


class Bind(Message):
    """Whoever holds the weights binds them before any leaf is seen.

    Attributes:
        adapter: None; later the respondent's own.
        holder: In what role the signer binds.
        map: None; later the respondent's class map.
        model: h_f.
        prior: Leaf of a release entry of this very h_f that may be older than the labels, or None.
    """

    adapter: Text | None
    holder: Literal["respondent", "escrow"]
    map: Text | None
    model: Hex32
    prior: Hex32 | None


class Admit(Message):
    """The arbitrator admits; logged before the first leaf is asked.

    Attributes:
        earlier: Leaves of every earlier admit and decide of this key that counts, in the order of the log.
        file: The claimant's file, whole: whoever reads the log sees who was authorised to do what.
        head: The checkpoint (signed note) that ``earlier`` was read from.
        known_answers: Empty; then there is no MARK ABSENT.
        policy: The policy whose digest ``file`` names.
        settings: How the suspect is run.
    """

    earlier: Annotated[tuple[Hex32, ...], Field(max_length=4096)]
    file: Envelope
    head: _Note
    known_answers: Annotated[tuple[Hex32, ...], Field(max_length=4096)]
    policy: Policy
    settings: Settings


class AskedLeaf(Wire):
    """One leaf of a round; the inputs themselves travel beside the message."""

    index: Uint
    inputs: Hex32


class Ask(Message):
    """The claimant asks the next 16 leaves."""

    leaves: Annotated[tuple[AskedLeaf, ...], Field(max_length=16)]


class Answer(Message):
    """The suspect's class index for each leaf asked; None for no answer, NaN or a refusal."""

    answers: Annotated[tuple[Uint | None, ...], Field(max_length=16)]


class Open(Message):
    """The claimant opens the leaves of the round."""

    openings: Annotated[tuple[Opening, ...], Field(max_length=16)]


class Stop(Message):
    """The claimant ends the dispute early."""


class Decide(Message):
    """The arbitrator decides; logged. It frees the leaves above the last round.

    Attributes:
        admit: Leaf of the admit's log entry.
        rounds: Rounds asked.
        verdict: What the rule gave.
    """

    admit: Hex32
    rounds: Uint
    verdict: VerdictName


_TYPES: tuple[type[Message], ...] = (File, Bind, Admit, Ask, Answer, Open, Stop, Decide)
_M = TypeVar("_M", bound=Message)


def message_kind(payload: bytes) -> str:
    """The type name that a payload claims, read without trusting it; parse_message checks everything.

    Raises:
        FormatError: It names no type of a dispute.
    """
    for kind in (kind.__name__.lower() for kind in _TYPES):
        if claims_kind(payload, kind):
            return kind
    raise FormatError("not a message of a dispute")


def parse_message(envelope: Envelope, kind: type[_M]) -> tuple[bytes, _M]:
    """Verify the signature of a message, then parse it.

    Returns:
        key_id that the message is about (32 bytes), and the message.

    Raises:
        SignatureError: The signature does not verify.
        FormatError: Not such a message.
    """
    payload = verify_envelope(envelope)
    statement = Statement[kind].parse(payload, kind.__name__.lower())  # type: ignore[valid-type]
    return statement.only_subject("key"), statement.predicate
