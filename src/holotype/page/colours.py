"""The colours of every page, light and dark, as variables of a style sheet."""

from importlib import resources


def colours(dark: str) -> str:
    """Returns rules that define the variables, those of the dark look under a selector of their own.

    Args:
        dark: what stands before the dark block, ``{}`` in its place: a selector, or a query with one inside.
    """
    light, night = (_part(name) for name in ("light.css", "dark.css"))
    return f":root {{\ncolor-scheme: light dark;\n{light}}}\n{dark.format('{' + night + '}')}\n"


def _part(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
