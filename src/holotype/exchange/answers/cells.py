"""CSV that people open in a spreadsheet: text that it would run is escaped, numbers never are.

Only for such files. What a program reads back (Parquet, JSON, EcoTaxa tables, Darwin Core) keeps its text.
"""

from holotype.collection.reading.cells import escaped

Cell = str | float | int | bool | None


def cell(value: Cell) -> str:
    r"""Returns a value as a cell: nothing for None, numbers as they are, text that no spreadsheet runs.

    >>> cell(-12.5), cell("-12.5"), cell("=1+1"), cell(None), cell("two\nlines")
    ('-12.5', '-12.5', "'=1+1", '', 'two\nlines')
    """
    if value is None:
        return ""
    return escaped(value) if isinstance(value, str) else str(value)
