"""Reads a page as a browser would: what tests of pages share."""

import json
from html.parser import HTMLParser
from typing import Any


class Reader(HTMLParser):
    """Elements with their attributes, words outside scripts, and the JSON of the figures by script id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.json: dict[str, Any] = {}
        self.inside: tuple[str, str | None] = ("", None)
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inside = (tag, dict(attrs).get("id"))

    def handle_endtag(self, tag: str) -> None:
        self.inside = ("", None)

    def handle_data(self, data: str) -> None:
        tag, name = self.inside
        if tag == "script" and name:
            self.json[name] = json.loads(data)
        elif tag not in {"script", "style"}:
            self.words.append(data)

    @property
    def ids(self) -> list[str]:
        return [str(attrs["id"]) for _, attrs in self.elements if "id" in attrs]

    @property
    def sections(self) -> list[str]:
        return [str(attrs["id"]) for tag, attrs in self.elements if tag == "section"]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\u202f", " ").split())
