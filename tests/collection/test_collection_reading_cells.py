"""Cells of a CSV: what a spreadsheet would run is escaped, numbers never, and all of it comes back."""

import pytest

from holotype.collection.reading.cells import escaped, unescaped

RUN = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\uff1d1+1",
    "\uff0d2+3",
    "\uff0b1",
    "\uff20x",
]
KEPT = [
    "-12.5", "+3", "-1,5", "-.5", "-1e-5", "+inf", "-NaN", "0", "", "Calanus sp.", "'t Hooft", "a=b",
    "'", "''", "'-12.5", " =x", "3-4", "\u2212 5", "+", "-", "=", "'-",
]  # fmt: skip


@pytest.mark.parametrize("text", RUN)
def test_what_would_be_run_gets_an_apostrophe(text: str) -> None:
    assert escaped(text) == "'" + text


@pytest.mark.parametrize("text", KEPT)
def test_numbers_and_plain_text_stay(text: str) -> None:
    assert escaped(text) == text


def test_every_text_comes_back() -> None:
    texts = [mark * count + text for text in (*RUN, *KEPT) for mark in "'" for count in range(4)]
    assert [unescaped(escaped(text)) for text in texts] == texts
    assert len({escaped(text) for text in texts}) == len(set(texts))
