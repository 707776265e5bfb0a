"""The settings of a simulated collection: what is asked for, and nothing about how it is drawn."""

from typing import Self

from pydantic import Field, model_validator

from holotype.config import Settings


class SimulationSettings(Settings):
    """What a simulated collection holds; the same settings always give the same bytes.

    The defaults give about 3,700 specimens of 215 species: enough to train a small model in
    minutes on a CPU.
    """

    seed: int = Field(default=1, ge=0, description="Feeds every named generator of the simulation.")
    num_species: int = Field(
        default=215,
        ge=1,
        le=20_000,
        description="Species in the tree; beyond the real names, interim ones are invented.",
    )
    median_specimens_per_species: float = Field(
        default=13.0,
        ge=2.0,
        description="Median of the log-normal abundance of species that are not singletons.",
    )
    abundance_sigma: float = Field(
        default=0.85,
        ge=0.0,
        le=3.0,
        description="Standard deviation of log abundance; larger means a longer tail.",
    )
    max_specimens_per_species: int = Field(
        default=120, ge=2, description="Cap on the specimens of one species."
    )
    singleton_fraction: float = Field(
        default=0.06, ge=0.0, le=1.0, description="Share of species found exactly once."
    )
    min_side_px: int = Field(
        default=32, ge=16, description="Smallest height and width of an image, in pixels."
    )
    max_side_px: int = Field(
        default=96, le=256, description="Largest height and width of an image, in pixels."
    )
    image_fraction: float = Field(
        default=1.0, ge=0.0, le=1.0, description="Share of specimens that have an image."
    )
    barcode_fraction: float = Field(
        default=0.85,
        ge=0.0,
        le=1.0,
        description="Share of specimens that have a barcode; unnamed species always have one.",
    )
    unnamed_species_fraction: float = Field(
        default=0.12,
        ge=0.0,
        le=1.0,
        description=(
            "Share of species whose specimens are labelled only to family or order; species with"
            " interim names come first."
        ),
    )
    label_noise: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="Share of specimens labelled as another species, a near relative if any.",
    )
    unread_base_rate: float = Field(
        default=0.002, ge=0.0, le=0.5, description="Mean share of barcode bases read as N."
    )
    trimmed_fraction: float = Field(
        default=0.35, ge=0.0, le=1.0, description="Share of barcodes trimmed at one or both ends."
    )
    max_trim_bp: int = Field(
        default=30, ge=0, le=200, description="Most bases trimmed from one barcode end, in bp."
    )
    damaged_fraction: float = Field(
        default=0.15,
        ge=0.0,
        le=1.0,
        description="Share of specimens that lost appendages before they were imaged.",
    )

    @model_validator(mode="after")
    def _sides_leave_room(self) -> Self:
        """Ask for a range of sides that a power-of-two magnification can always meet."""
        if self.max_side_px < 2 * self.min_side_px:
            found = f"min_side_px={self.min_side_px}, max_side_px={self.max_side_px}"
            message = f"{found}: max_side_px must be at least twice min_side_px. Raise max_side_px."
            raise ValueError(message)
        return self
