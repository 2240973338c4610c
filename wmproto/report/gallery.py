"""The opened triggers as pictures: small PNGs within the page, each with its label and the suspect's answer."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from wmproto.dispute.messages import Open, message_kind, parse_message
from wmproto.dispute.transcript import Transcript
from wmproto.report.reported import ReportedDispute
from wmproto.report.wealth import Counted, counted_leaves

_MODES = {1: "L", 3: "RGB"}  # channels -> Pillow's name
LARGEST = 96  # pixels a side; a larger picture is shown smaller, so that no transcript can swell the page


@dataclass(frozen=True, slots=True)
class Picture:
    """One opened leaf.

    Attributes:
        index: Which leaf.
        source: A data URI, or None where the shape is no picture's.
        label: Name of the registered class.
        answer: Name of the class that the suspect answered; None where it gave none.
        counted: ``hit``, ``miss`` or ``ghost``.
        agrees: Whether the answer is the label; of a ghost that is luck.
    """

    index: int
    source: str | None
    label: str
    answer: str | None
    counted: Counted
    agrees: bool


def pictures(reported: ReportedDispute, *, most: int) -> tuple[list[Picture], int]:
    """The first opened leaves that count, in index order.

    Args:
        reported: The dispute.
        most: How many at most.

    Returns:
        The pictures, and how many more were opened and are left out.
    """
    opened = [leaf for leaf in counted_leaves(reported.audit) if leaf.opened is not None]
    shown = opened[:most]
    if not shown:
        return [], 0
    z = reported.audit.dispute.key.z
    inputs = _inputs(reported.transcript, {leaf.index for leaf in shown})
    found = []
    for leaf in shown:
        if leaf.opened is None:
            continue
        label, answer = leaf.opened.label, leaf.opened.answer
        found.append(
            Picture(
                index=leaf.index,
                source=png_uri(inputs[leaf.index], z.input.shape),
                label=z.classes[label],
                answer=None if answer is None else z.classes[answer],
                counted=leaf.counted,
                agrees=answer == label,
            )
        )
    return found, len(opened) - len(shown)


def _inputs(transcript: Transcript, indices: set[int]) -> dict[int, bytes]:
    """The inputs of leaves that were opened well: each leaf is asked once, so one opening has its index."""
    inputs: dict[int, bytes] = {}
    for step in transcript.steps:
        if message_kind(step.message.payload) == "open":
            for opening in parse_message(step.message, Open)[1].openings:
                if opening.index in indices:
                    inputs[opening.index] = opening.inputs[0]
    return inputs


def is_shown_smaller(shape: tuple[int, ...]) -> bool:
    """Whether pictures of this shape are shown with fewer pixels than they have."""
    return max(shape[:2]) > LARGEST


def png_uri(data: bytes, shape: tuple[int, ...]) -> str | None:
    """A picture as a PNG in a data URI.

    Args:
        data: uint8 in C order (row, column, channel).
        shape: (H, W, C).

    Returns:
        None where the shape is not that of a grey or colour picture.
    """
    if len(shape) != 3 or shape[2] not in _MODES:
        return None
    image = Image.frombytes(_MODES[shape[2]], (shape[1], shape[0]), data)
    image.thumbnail((LARGEST, LARGEST))
    png = BytesIO()
    image.save(png, "PNG")
    return f"data:image/png;base64,{b64encode(png.getvalue()).decode()}"
