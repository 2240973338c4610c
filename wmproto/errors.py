"""The whole error taxonomy: every exception that wmproto raises on purpose is defined here.

``ValueError`` and ``TypeError`` mean a bug in the calling code and never depend on remote data. Everything that can
be wrong with somebody else's bytes, files or claims is one of the classes below; the command line turns each into one
line, a hint and the exit code of its class.
"""

from typing import Literal

Party = Literal["claimant", "respondent", "arbitrator", "registry", "owner", "nobody", "unknown"]


class WmprotoError(Exception):
    """Root of the taxonomy; never raised itself.

    Args:
        message: One line, lower case, no full stop, never a secret.
        hint: What to do next, or None.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class FormatError(WmprotoError):
    """Bytes are not in the language of the specification."""

    exit_code = 3


class UnsupportedError(FormatError):
    """A value that the specification defines and this version does not support; refused by name."""


class VerificationError(WmprotoError):
    """Well formed, but false.

    Args:
        message: See WmprotoError.
        rule: Identifier of the rule in specs/ that failed, for example ``dispute-chain-2``.
        fault: The party whose act broke the rule; ``unknown`` where a stranger cannot tell.
        hint: See WmprotoError.
    """

    def __init__(self, message: str, *, rule: str = "", fault: Party = "unknown", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.rule, self.fault = rule, fault


class SignatureError(VerificationError):
    """A signature, or the key that should have made it, is not acceptable."""


class InclusionError(VerificationError):
    """An entry is not in the log, or a checkpoint is not the log's."""


class OpeningError(VerificationError):
    """An opening does not belong to the commitment."""


class TrustError(VerificationError):
    """The evidence is consistent, but rests on somebody whom the trust file does not name."""


class StateError(WmprotoError):
    """A message or call at the wrong moment."""

    exit_code = 4


class RaceError(StateError):
    """Somebody else's act came in between; doing it again may succeed."""


class BudgetError(StateError):
    """An attack asked for more than its budget; nothing beyond it was computed."""


class RegistryError(WmprotoError):
    """The log or its store refuses or fails."""

    exit_code = 5


class ConflictError(RegistryError):
    """The store holds something else than the caller assumed."""


class NotFoundError(RegistryError):
    """The store or the entry is not there."""


class CorruptStoreError(RegistryError):
    """The store contradicts itself."""


class ConfigError(WmprotoError):
    """Options, files or profiles contradict each other; the caller's inputs need changing."""

    exit_code = 2


class SecretError(ConfigError):
    """A secret file cannot be opened: wrong passphrase, or edited."""


class MissingExtraError(ConfigError, ImportError):
    """A part that needs an optional dependency was used without it.

    Args:
        extra: Name of the extra, as in ``pip install 'wmproto[torch]'``.
    """

    def __init__(self, extra: str) -> None:
        super().__init__(f"this needs the extra '{extra}'", hint=f"pip install 'wmproto[{extra}]'")
        self.extra = extra
