"""Tables of web pages, and of workbooks that were saved as XML, to grids of cells."""

from __future__ import annotations

from html.parser import HTMLParser

from lstmcast.data.files.textfiles import CellGrid
from lstmcast.data.files.xmlrecords import records_of_xml
from lstmcast.errors import DataError

_MOST_CELLS = 5_000_000


def looks_like_markup(start: str) -> bool:
    """Whether a text begins as a web page or as XML does.

    >>> looks_like_markup("<html><table>")
    True
    """
    squeezed = start.lstrip("\ufeff \t\r\n")[:100].casefold()
    return squeezed.startswith(
        ("<!doctype html", "<html", "<?xml", "<table", "<workbook", "<meta")
    )


def read_markup(text: str, source: str) -> CellGrid:
    """The cells of the largest table of a page, or of the first sheet of a workbook in XML."""
    parser = _Tables()
    parser.feed(text)
    parser.close()
    tables = [table for table in parser.tables if _filled_rows(table) > 1]
    records = None if tables else records_of_xml(text)
    if records is not None:
        return records
    if not tables:
        raise DataError(
            f"{source} is a web page or XML, not a table. A table is expected: CSV, Excel (.xlsx) "
            "or Parquet. Was a login page downloaded instead?"
        )
    rows = max(tables, key=_cell_count)
    width = max(map(len, rows))
    cells = [row + [""] * (width - len(row)) for row in rows]
    lines = list(range(1, len(cells) + 1))
    return CellGrid(cells, lines)


def _filled_rows(table: list[list[str]]) -> int:
    return sum(map(bool, table))


def _cell_count(table: list[list[str]]) -> int:
    return sum(map(len, table))


class _Tables(HTMLParser):
    """Collects the rows of all tables: <table> with <tr>, and <Table> with <Row> of Excel's XML."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._text: list[str] | None = None
        self._span = 1
        self._cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("table", "worksheet"):
            self.tables.append([])
            return
        if not self.tables:
            return
        rows = self.tables[-1]
        if tag in ("tr", "row"):
            rows.append([])
        elif tag in ("td", "th", "cell") and rows:
            attributes = dict(attrs)
            self._fill_up_to(attributes.get("ss:index"))
            self._span = _number(attributes.get("colspan"), 1)
            self._text = []

    def handle_endtag(self, tag: str) -> None:
        is_cell = tag in ("td", "th", "cell")
        if not is_cell or self._text is None or not self.tables[-1]:
            return
        text = "".join(self._text)
        self._add(" ".join(text.split()))
        for _ in range(min(self._span, 1000) - 1):
            self._add("")
        self._text = None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def _fill_up_to(self, index: str | None) -> None:
        """Empty cells up to the one that says its number."""
        row = self.tables[-1][-1]
        column = min(_number(index, 0), 16_384)
        while len(row) < column - 1:
            self._add("")

    def _add(self, text: str) -> None:
        self._cells += 1
        if self._cells > _MOST_CELLS:
            raise DataError(
                f"the page has more than {_MOST_CELLS:,} cells. Save its table as CSV."
            )
        self.tables[-1][-1].append(text)


def _number(text: str | None, otherwise: int) -> int:
    if text is None or not text.isdecimal() or len(text) > 8:
        return otherwise
    return int(text)
