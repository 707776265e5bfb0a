"""Sentences around a name: zero-shot classification averages over several of them.

The set shipped here is for specimens, crops of instruments and field photographs. To run another one, such as
the list that a published protocol names, write its sentences into a text file, one a line.
"""

from collections.abc import Sequence
from pathlib import Path

from holotype.errors import RecipeError, first_few

HOLE = "{}"

SPECIMENS: tuple[str, ...] = (
    "{}.",
    "a photo of {}.",
    "a photograph of {}, a living organism.",
    "one individual of {}.",
    "several individuals of {}.",
    "a specimen of {}.",
    "a preserved specimen of {}.",
    "a pinned specimen of {}.",
    "a museum specimen of {} beside its label.",
    "a pressed specimen of {} on a herbarium sheet.",
    "a specimen of {} on a white background.",
    "a specimen of {} on a black background.",
    "{} seen from above.",
    "{} seen from the side.",
    "{} seen from below.",
    "part of {}.",
    "a close view of {}.",
    "a distant view of {}.",
    "a macro photograph of {}.",
    "a microscope image of {}.",
    "a micrograph of {} in transmitted light.",
    "a dark-field image of {}.",
    "a silhouette of {}.",
    "a grey-scale image of {}.",
    "a colour image of {}.",
    "a plankton image of {}.",
    "{} taken with a net.",
    "{} imaged in a flow cell.",
    "{} imaged in the water column.",
    "{} scanned in a tray.",
    "a cropped image of {} from a plankton camera.",
    "a small crop of {} at low resolution.",
    "a blurred image of {}.",
    "a sharp image of {}.",
    "{} cut off at the edge of the image.",
    "a field photograph of {}.",
    "{} in its habitat.",
    "{} on a leaf.",
    "{} under water.",
    "a camera-trap picture of {}.",
    "{} caught in a trap for insects.",
    "an adult or a young stage of {}.",
)
"""Our own set of 42."""


def fill(template: str, words: str) -> str:
    """Returns a template with the words in its place.

    >>> fill("a photo of {}.", "Pica hudsonia")
    'a photo of Pica hudsonia.'
    """
    return template.replace(HOLE, words)


def read_templates(path: Path) -> tuple[str, ...]:
    """Returns the templates in a text file: one a line, each with ``{}`` once; blank lines are skipped.

    Raises:
        RecipeError: names the file and the lines that are no templates.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such file. Check the path of the templates.") from None
    except (UnicodeDecodeError, OSError) as reason:
        raise RecipeError(f"{path}: no text in UTF-8 ({reason}). Save it as UTF-8.") from None
    found = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    wrong = [f"line {number}" for number, line in found if not is_template(line)]
    if wrong:
        raise RecipeError(
            f"{path}: {first_few(wrong)}: not one template a line with {HOLE} once, for the name."
        )
    if not found:
        raise RecipeError(f"{path}: no templates. Write one a line, as: a photo of {HOLE}.")
    return tuple(line for _, line in found)


def is_template(line: str) -> bool:
    """Returns whether a line has the place for the name once, and no other braces."""
    rest = line.replace(HOLE, "", 1)
    return HOLE in line and not set(rest) & {"{", "}"}


def templates_of(value: object) -> object:
    """Returns the templates that a setting names: ``specimens`` or a file; any other value as it is."""
    if not isinstance(value, str):
        return value
    return SPECIMENS if value == "specimens" else read_templates(Path(value))


def check_templates(templates: Sequence[str]) -> None:
    """Raises ``ValueError`` for a sentence that has no place, or several, for the name."""
    wrong = [repr(template) for template in templates if not is_template(template)]
    if wrong:
        raise ValueError(f"{first_few(wrong)}: a template has {HOLE} once, for the name")
