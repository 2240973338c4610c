"""A log and witnesses by name, and what they sign."""

from log_samples import LOG, NAME, signer

from wmproto.registry.checkpoint import Checkpoint
from wmproto.registry.cosignature import WitnessKey, cosigned_message
from wmproto.registry.note import LogKey
from wmproto.registry.writing import sign_note
from wmproto.wire.schema import encode_b64

KEY = LogKey(NAME, LOG.public)
WITNESSES = {name: WitnessKey(f"{name}.test/1", signer(name).public) for name in ("a", "b", "c", "d", "e", "f")}
NOTE = sign_note(Checkpoint(NAME, 7, bytes(32)).text, NAME, LOG)
TEXT = NOTE.decode().split("\n\n")[0] + "\n"


def raw_line(name, data):
    return f"\u2014 {name} {encode_b64(data)}\n"


def line(name, text=TEXT, time=1_700_000_000, by=None, key=None):
    """The line of a witness; with another signer or key, a lie."""
    key = key or WITNESSES[name]
    signature = time.to_bytes(8, "big") + (by or signer(name)).sign(cosigned_message(text, time))
    return raw_line(key.name, key.key_id + signature)


def cosigned(names, **lies):
    return NOTE + "".join(line(name, **lies) for name in names).encode()


def policy_text(tail="quorum none", names="abcdef"):
    return "\n".join([f"log {KEY}", *(f"witness {n} {WITNESSES[n]}" for n in names), *tail.split("; ")]) + "\n"
