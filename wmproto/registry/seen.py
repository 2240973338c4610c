"""What a log's files show as its head, if the log signed it (reg-monitor-1); whatever else is wrong is told apart."""

from __future__ import annotations

from dataclasses import dataclass

from wmproto.errors import ConfigError, FormatError, SignatureError, TrustError
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.note import LogKey, Note
from wmproto.registry.policy import LogPolicy
from wmproto.registry.source import Source

__all__ = ["Seen", "look", "verified_lines"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A head that its log signed.

    Attributes:
        key: The log's key.
        note: The head, with only those lines that verify under keys of the policy: evidence has no room for others.
        checkpoint: What it says.
        refused: Why it does not count under the policy; None if it does.
    """

    key: LogKey
    note: bytes
    checkpoint: Checkpoint
    refused: TrustError | SignatureError | FormatError | None

    @property
    def unwitnessed(self) -> str | None:
        """Why the policy's witnesses do not vouch for it, if that is all that is wrong."""
        return str(self.refused) if self.refused is not None else None

    def check(self) -> None:
        """Raise what is wrong with its form, or with a line of a known witness; a missing quorum is no reason."""
        if self.refused is not None and not isinstance(self.refused, TrustError):
            raise self.refused


def look(source: Source, policy: LogPolicy, known: LogKey | None) -> Seen:
    """Read the head that a source shows.

    Args:
        source: The log's files.
        policy: Names the logs.
        known: The log that is followed already, if one is.

    Raises:
        TrustError: The policy does not name the log.
        ConfigError: It is another log than the known one.
        SignatureError, FormatError: It is no head that its log signed.
        RegistryError: It is not to be had.
    """
    data = source.checkpoint()
    origin = Checkpoint.parse(Note.parse(data).text, extended=True).origin
    key = next((key for key in policy.logs if key.name == origin), None)
    if key is None:
        raise TrustError(f"the log policy does not name the log {origin}", rule="reg-policy-6")
    if known not in (None, key):
        raise ConfigError(
            f"{source.where} has the log {origin}, and the state follows another one",
            hint="give each log a state folder of its own",
        )
    checkpoint = verify_checkpoint(data, key, extended=True)
    refused: TrustError | SignatureError | FormatError | None = None
    try:
        policy.verify(data)
    except (TrustError, SignatureError, FormatError) as err:
        refused = err
    return Seen(key, verified_lines(data, key, policy), checkpoint, refused)


def verified_lines(data: bytes, key: LogKey, policy: LogPolicy) -> bytes:
    """A note with only the lines of that log and of the policy's witnesses that verify; raises FormatError."""
    text, lines = Note.parse(data).text, data.decode().removesuffix("\n").rpartition("\n\n")[2].split("\n")
    kept = f"{text}\n"
    for line in lines:
        try:
            one = Note.parse(f"{text}\n{line}\n".encode())
            known = any(one.signed_by(known) for known in (key, *policy.witnesses.values()))
        except (SignatureError, FormatError):
            known = False
        kept += f"{line}\n" if known else ""
    return kept.encode()
