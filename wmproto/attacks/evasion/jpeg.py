"""JPEG: pictures are compressed before the stolen model sees them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wmproto.attacks.attack import EvasionAttack, Run
from wmproto.attacks.view import WhiteBox
from wmproto.errors import ConfigError, MissingExtraError
from wmproto.models.network import Network

__all__ = ["Jpeg"]


@dataclass(frozen=True)
class Jpeg(EvasionAttack):
    """Each picture is written as JPEG and read again, by Pillow; colour is kept at half the resolution, as it does.

    Another version of Pillow or of its decoder may give other bytes. Runs on the CPU, wherever the model is.

    Cost: nothing; no data are used.

    Attributes:
        quality: 1 to 95, as Pillow counts. Lukas et al. take 95, 65 and 45.
    """

    name: ClassVar[str] = "jpeg"
    source: ClassVar[str] = "Lukas et al. 2022 (SoK), JPEG compression"

    quality: int = 45

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 95:
            raise ValueError("quality must be 1 to 95")

    def run(self, view: WhiteBox, run: Run) -> nn.Module:  # noqa: ARG002
        """See EvasionAttack.

        Raises:
            ConfigError: The model does not take grey or RGB pictures.
            MissingExtraError: Pillow is not installed (extra ``games``).
        """
        shape = view.architecture.input.shape
        if len(shape) != 3 or shape[2] not in (1, 3):
            raise ConfigError("JPEG takes grey and RGB pictures alone")
        try:
            import PIL.Image  # noqa: F401  when the attack starts, not in the middle of its measurement
        except ImportError as err:
            raise MissingExtraError("games") from err
        return _Compressed(view.network(), self.quality)


class _Compressed(nn.Module):
    def __init__(self, network: Network, quality: int) -> None:
        super().__init__()
        self.network = network
        self._quality = quality

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) uint8 -> scores of the pictures as they come out of JPEG."""
        seen = [_through_jpeg(picture, self._quality) for picture in x.cpu().numpy()]
        pictures = torch.from_numpy(np.stack(seen)).to(x.device)
        scores: Tensor = self.network(pictures)
        return scores


def _through_jpeg(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    from PIL import Image

    written = io.BytesIO()
    Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(written, "JPEG", quality=quality)
    with Image.open(written) as read:
        return np.asarray(read, dtype=np.uint8).reshape(picture.shape)
