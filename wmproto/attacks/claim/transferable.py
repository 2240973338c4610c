"""Pictures that models of one kind answer with labels of the liar's choice, the victim's model included.

The liar trains a few models of his own on data like the victim's and optimises pictures on all of them at once, each
towards a label that he chose beforehand. Nothing bounds how far a picture goes, for a trigger need not look like
anything. What all of his models have in common the victim's model, made independently and perhaps later, has too. So
he commits to picture *and* label honestly, early and without knowing the model that he will accuse.

Source: Liu, Zhang, Szyller, Ren, Asokan, "False Claims against Model Ownership Resolution" (USENIX Security 2024): the
attack on schemes whose accuser chooses inputs and labels. Deviations: unbounded from grey, where the paper starts from
pictures of the task and bounds the change; Adam on the summed loss of the ensemble; every step sees the pictures
shifted and noisy, so that what works does so by more than a pixel (Athalye et al., ICML 2018: expectation over
transformation); pixels are rounded to bytes only at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wmproto.attacks.attack import Run
from wmproto.attacks.claim.claim import Claim, ClaimAttack, ClaimView
from wmproto.attacks.claim.surrogates import train_surrogates
from wmproto.models.network import AffineTable, Network

__all__ = ["TransferablePictures", "transferable_pictures"]

_STEP = 4.0  # Adam's rate in grey levels
_START = 0.5  # standard deviation of the noise around grey that a picture starts from
_NOISE = 40.0  # standard deviation of the noise that each step adds, grey levels
_SHIFT = 2  # pixels that a step moves the pictures at most, each way


@dataclass(frozen=True)
class TransferablePictures(ClaimAttack):
    """Registers pictures that were optimised on surrogates of his own, each to a label that he chose.

    Where labels are born later he registers the very same pictures. He brings the whole key to court. Cost: training
    the surrogates, and ``steps * surrogates`` forward and backward for each picture.

    Attributes:
        surrogates: Models that he trains, 1 or more.
        epochs: Of each of them.
        steps: Gradient steps on the pictures.
    """

    name: ClassVar[str] = "transferable-pictures"
    source: ClassVar[str] = "Liu et al. 2024 (USENIX Security), the attack of the false-claims paper"

    surrogates: int = 5
    epochs: int = 8
    steps: int = 60

    def __post_init__(self) -> None:
        if min(self.surrogates, self.epochs, self.steps) < 1:
            raise ValueError("surrogates, epochs and steps must be at least 1")

    def run(self, view: ClaimView, run: Run) -> Claim:
        """See ClaimAttack."""
        ensemble = train_surrogates(view, run, count=self.surrogates, epochs=self.epochs)
        chosen = torch.randint(view.classes, (view.leaves,), generator=run.generator).tolist()
        pictures = transferable_pictures(ensemble, chosen, seed=run.seed, steps=self.steps)
        inputs = [one.tobytes() for one in pictures]
        return Claim(view.register(inputs, chosen if view.chooses_labels else None), 0, view.leaves)


def transferable_pictures(
    ensemble: Sequence[Network],
    labels: Sequence[int],
    *,
    seed: int,
    steps: int = 60,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.uint8]:
    """Optimise one picture for each label on all models at once.

    Args:
        ensemble: The liar's own models, 1 or more of one input shape whose first layer is affine; used in eval mode.
        labels: The class that each picture shall get, n of them.
        seed: 0 <= seed < 2**63, for the pictures' start, noise and shifts.
        steps: Gradient steps, 1 or more.
        progress: Called after each step with (steps done, steps).

    Returns:
        (n, H, W, C) uint8.

    Raises:
        ValueError: No model, no label, or a model without an affine first layer.
    """
    if not ensemble or not labels or steps < 1:
        raise ValueError("needs a model, a label and a step")
    heads = [_real(model) for model in ensemble]
    height, width, channels = ensemble[0].architecture.input.shape
    device = next(ensemble[0].parameters()).device
    generator = torch.Generator(device="cpu").manual_seed(seed)
    start = 127.5 + _START * torch.randn((len(labels), channels, height, width), generator=generator)
    pictures = start.to(device).requires_grad_()
    wanted = torch.tensor(labels, device=device)
    optimiser = torch.optim.Adam([pictures], lr=_STEP)
    with torch.enable_grad():
        for done in range(1, steps + 1):
            seen = pictures.clamp(0, 255) + _NOISE * torch.randn(pictures.shape, generator=generator).to(device)
            moved = torch.randint(-_SHIFT, _SHIFT + 1, (2,), generator=generator).tolist()
            seen = torch.roll(seen, moved, (2, 3))
            loss = torch.stack([nn.functional.cross_entropy(head(seen), wanted) for head in heads]).sum()
            (pictures.grad,) = torch.autograd.grad(loss, [pictures])
            optimiser.step()
            if progress is not None:
                progress(done, steps)
    return pictures.detach().clamp(0, 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()


def _real(network: Network) -> Callable[[Tensor], Tensor]:
    """The network as a function of real pixels (n, C, H, W) in [0, 255]: its table of bytes is a straight line."""
    first = network[0]
    if not isinstance(first, AffineTable) or len(network.architecture.input.shape) != 3:
        raise ValueError("needs a model of pictures whose first layer is affine")
    network.eval()
    low, high = (first.table[:, v].view(1, -1, 1, 1) for v in (0, 255))
    rest = network[1:]
    return lambda pixels: rest(low + (high - low) * (pixels / 255))
