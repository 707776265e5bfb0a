"""What uploads of one request may be, and what of it is used up."""

from dataclasses import dataclass

from holotype.app.settings import ServeSettings


@dataclass(frozen=True)
class UploadLimits:
    """Limits of one request.

    Attributes:
        files: how many may be uploaded.
        file_bytes: of each.
        all_bytes: of all together.
        pixels: of one image.
        members: specimens in archives, FASTA and tables together.
        unpacked_bytes: what archives and compressed files may unpack to, together.
        ratio: how many times its size an archive may unpack to, where that is over ``SMALL_BYTES``.
        depth: archives in archives: 1 for an archive alone, 2 for those in it as well.
    """

    files: int = 1_000
    file_bytes: int = 256 << 20
    all_bytes: int = 256 << 20
    pixels: int = 100_000_000
    members: int = 10_000
    unpacked_bytes: int = 1 << 30
    ratio: int = 200
    depth: int = 2

    @classmethod
    def of(cls, settings: ServeSettings) -> "UploadLimits":
        """Returns the limits that a server was told."""
        return cls(
            files=settings.max_files,
            file_bytes=settings.max_upload_bytes,
            all_bytes=settings.max_upload_bytes,
            pixels=settings.max_pixels,
            members=settings.max_members,
            unpacked_bytes=settings.max_unpacked_bytes,
        )


SMALL_BYTES = 16 << 20
"""What unpacks to less is no bomb, however well it was packed."""


@dataclass
class Budget:
    """What is left of the limits of one request."""

    limits: UploadLimits
    members: int = 0
    unpacked_bytes: int = 0

    def why_not(self, *, members: int, unpacked: int, packed: int) -> str | None:
        """Returns why so much more cannot be taken, or None; takes nothing."""
        limits = self.limits
        if self.members + members > limits.members:
            return f"{members:,} files in it: with what came before, more than {limits.members:,}"
        if self.unpacked_bytes + unpacked > limits.unpacked_bytes:
            return f"unpacks to {unpacked:,} bytes: in all more than {limits.unpacked_bytes:,}"
        if unpacked > max(SMALL_BYTES, limits.ratio * packed):
            return f"unpacks to more than {limits.ratio:,} times its size"
        return None

    @property
    def bytes_left(self) -> int:
        """How many more bytes may be unpacked."""
        return max(0, self.limits.unpacked_bytes - self.unpacked_bytes)
