"""What is doubtful in a collection: images, barcodes, and names that contradict each other."""

from holotype.collection.quality.identical import Findings, find_quality_issues

__all__ = ["Findings", "find_quality_issues"]
