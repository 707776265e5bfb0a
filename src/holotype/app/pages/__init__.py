"""The pages of the workbench, one module each; ``frame`` is what they have in common."""

from holotype.app.pages import evidence, explore, faults, identify, jobs, review
from holotype.app.workbench import Workbench

PAGES = (identify, explore, review, evidence, jobs)


def register(workbench: Workbench) -> None:
    """Defines every page, all of one workbench."""
    faults.register()
    for page in PAGES:
        page.register(workbench)
