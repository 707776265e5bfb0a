"""Words on a page, in the element that says what they are; always text, never HTML."""

from nicegui.elements.mixins.text_element import TextElement


def text(tag: str, words: str) -> TextElement:
    """Returns an element of HTML with words in it: ``h2``, ``p``, ``strong`` ..."""
    return TextElement(tag=tag, text=words)


def heading(level: int, words: str) -> TextElement:
    """Returns a heading of a level; 1 is the page's own, which ``frame`` draws."""
    return text(f"h{level}", words)


def paragraph(words: str) -> TextElement:
    """Returns a paragraph."""
    return text("p", words)


def note(words: str) -> TextElement:
    """Returns a remark, less strong than the text around it."""
    return text("p", words).classes("note")
