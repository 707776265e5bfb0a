"""The default image tower: a small residual network for crops of single organisms.

Place in the path: normalised crops and their original sizes go in, one feature vector per crop
comes out. The module neither decodes, pads nor normalises images, and it holds no class labels.

A crop is resized to a fixed square, which loses how large the organism was. The original width
and height, in pixels or micrometres, therefore enter as a second input, and are added to the channels
after every stage, so that later convolutions can read a shape in the light of its scale.

The sizes of the layers are chosen for training on a CPU: dense 3x3 convolutions over multiples of
16 channels, batch normalisation, ReLU, and channels-last memory. Only the stem works above a
quarter of the image's side.

Shape legend: B batch, C image channels, H height, W width, K channels of a stage,
4 width and height in px and in um, E size embedding, D feature dimension.
"""

from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from holotype.models.sizes import SizeReading, size_features

NUM_STAGES: Final = 4


class ConvNorm(nn.Module):
    """A 3x3 convolution without bias, then batch normalisation (Ioffe & Szegedy 2015).

    Reference: Ioffe S, Szegedy C (2015). Batch normalization. arXiv:1502.03167.
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int) -> None:
        """Builds the pair; the output's side is ceil(side / stride)."""
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Returns the normalised sums, float32, before any activation."""
        normal_BKHW: Tensor = self.norm(self.conv(x_BKHW))
        return normal_BKHW


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut; the shortcut averages where the block halves.

    Reference: He K, Zhang X, Ren S, Sun J (2016). Deep residual learning for image recognition.
    doi:10.1109/CVPR.2016.90. The averaging shortcut is variant D of He T et al. (2019), Bag of
    tricks for image classification, arXiv:1812.01187; as there, the last normalisation's weight
    starts at 0, so that a new block passes on its shortcut alone.
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int) -> None:
        """Builds a block whose output side is ceil(side / stride); stride is 1 or 2."""
        super().__init__()
        self.first = ConvNorm(in_channels, out_channels, stride=stride)
        self.second = ConvNorm(out_channels, out_channels, stride=1)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride, ceil_mode=True),
                nn.Conv2d(in_channels, out_channels, 1, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Returns the block's non-negative output, float32, B x K x ceil(H/s) x ceil(W/s)."""
        inner_BKHW = F.relu(self.first(x_BKHW), inplace=True)
        residual_BKHW: Tensor = self.second(inner_BKHW)
        return F.relu(residual_BKHW + self.shortcut(x_BKHW))


class CropTower(nn.Module):
    """Embeds crops of one organism each, of any side from 16 px, together with their size.

    A stem halves the side, four stages of residual blocks halve it again each and double the
    channels from `width` to 8 x `width`; the mean over the last map is the feature vector.
    After every stage the embedding of the original size is added to each channel; its weights
    start at 0.

    Attributes:
        feature_dim: D, the length of a feature vector, 8 x `width`.
    """

    def __init__(
        self,
        *,
        channels: int = 1,
        width: int = 48,
        depth: int = 2,
        size: SizeReading = SizeReading.PX,
        size_width: int = 64,
    ) -> None:
        """Builds the tower.

        The weights drawn here come from PyTorch's default generator.

        Args:
            channels: channels of the images, 1 (grey) or 3 (RGB).
            width: channels of the first stage; multiples of 16 run fastest. 8 suits a test.
            depth: residual blocks in each of the two middle stages; the outer two have one.
            size: what is read of the original size.
            size_width: E, width of the size embedding.

        Raises:
            ValueError: if a number is below 1.
        """
        super().__init__()
        if min(channels, width, depth, size_width) < 1:
            raise ValueError(
                f"CropTower({channels=}, {width=}, {depth=}, {size_width=}): each must be > 0"
            )
        stem_width = max(8, width * 2 // 3)
        widths = [stem_width, *(width * 2**stage for stage in range(NUM_STAGES))]
        depths = [1, depth, depth, 1]
        self.feature_dim: int = widths[-1]
        self.stem = ConvNorm(channels, stem_width, stride=2)
        self.reading = size
        self.size_embedding: nn.Module | None = None
        if size.num_features:
            self.size_embedding = nn.Sequential(
                nn.Linear(size.num_features, size_width),
                nn.ReLU(),
                nn.Linear(size_width, size_width),
                nn.ReLU(),
            )
        self.stages = nn.ModuleList(
            _stage(before, after, depth=blocks)
            for (before, after), blocks in zip(pairwise(widths), depths, strict=True)
        )
        biased = widths[1:] if size.num_features else []
        self.size_bias = nn.ModuleList(nn.Linear(size_width, after) for after in biased)
        self._zero_added_parts()

    def forward(self, image_BCHW: Tensor, size_B4: Tensor) -> Tensor:
        """Returns one feature vector per crop.

        In training mode a batch of one crop of 32 px or less fails in the last batch
        normalisation, which then sees a single value per channel.

        Args:
            image_BCHW: float32, normalised (mean 0, spread 1 over the training crops).
            size_B4: float32, original width and height, before padding and resizing, in px and
                in um; NaN where unknown.

        Returns:
            features_BD: float32, B x feature_dim, not normalised to unit length.

        Raises:
            ValueError: if sizes are read and are not B x 4.
        """
        x_BCHW = image_BCHW.contiguous(memory_format=torch.channels_last)
        x_BKHW = F.relu(self.stem(x_BCHW), inplace=True)
        if self.size_embedding is None:
            for stage in self.stages:
                x_BKHW = stage(x_BKHW)
            return x_BKHW.mean(dim=(2, 3))
        size_BE = self.size_embedding(size_features(size_B4, self.reading))
        for stage, size_bias in zip(self.stages, self.size_bias, strict=True):
            bias_BK = size_bias(size_BE)
            x_BKHW = stage(x_BKHW) + bias_BK[:, :, None, None]
        return x_BKHW.mean(dim=(2, 3))

    def keep_for_reading(self) -> None:
        """Lays the weights out as the images are, which each call would do again; the figures stay equal."""
        self.to(memory_format=torch.channels_last)

    @torch.no_grad()
    def _zero_added_parts(self) -> None:
        """Starts each residual branch and each size bias at 0."""
        for module in self.modules():
            if isinstance(module, ResidualBlock):
                nn.init.zeros_(module.second.norm.weight)
        for parameter in self.size_bias.parameters():
            nn.init.zeros_(parameter)


def _stage(in_channels: int, out_channels: int, *, depth: int) -> nn.Sequential:
    """Returns `depth` residual blocks, the first of which halves the side."""
    first = ResidualBlock(in_channels, out_channels, stride=2)
    others = (ResidualBlock(out_channels, out_channels, stride=1) for _ in range(depth - 1))
    return nn.Sequential(first, *others)
