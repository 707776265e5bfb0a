"""The error of a review that a user can mend."""

from holotype.errors import HolotypeError


class ReviewError(HolotypeError, ValueError):
    """A session is missing, incomplete or of another version, or what is asked of it makes no sense."""
