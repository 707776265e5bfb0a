"""The numbers of jobs: none is given twice, also not that of a job that was removed.

An old page that asks for a number so finds its own job or none, never another person's.
"""

from pathlib import Path

from holotype import files
from holotype.jobs.reading import job_folders, number_of

NUMBER = ".number"


def last_number(folder: Path) -> int:
    """Returns the highest number that was given in a folder of jobs; 0 before the first."""
    there = max((number_of(path) for path in job_folders(folder)), default=0)
    try:
        return max(there, int((folder / NUMBER).read_text(encoding="ascii")))
    except (OSError, ValueError):  # none was kept yet, or it is torn
        return there


def keep_number(folder: Path, number: int) -> None:
    """Writes down that a number was given. Whoever calls this holds the folder."""
    files.write_text(folder / NUMBER, f"{number}\n")
