"""The text of a user's table: encoding, separator, header and rows, each with its line number."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from devices.arrays import IntArray
from scenarios.errors import DataFormatError, DataUnavailableError

SEPARATORS = (";", "\t", ",")
"""Tried in this order: a comma may be a decimal's where another separates columns."""
PREAMBLE_LINES = 20
"""Lines that may stand before the header."""
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}

Texts = NDArray[np.str_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns of text."""

    name: str
    """The file's name, for messages."""
    separator: str
    """What stands between columns."""
    header: tuple[str, ...]
    """Names of the columns, as written."""
    columns: tuple[Texts, ...]
    """Their cells, shape (rows,), without blanks around them."""
    line: IntArray
    """Line of each row, from 1."""

    def refuse(self, row: int, what: str) -> DataFormatError:
        """Return the error that says what is wrong with a row, and how to mend it."""
        return DataFormatError(f"{self.name} line {self.line[row]}: {what}")

    def column(self, wanted: str) -> int:
        """Return the place of a column that somebody named, or raise `DataFormatError`."""
        for place, written in enumerate(self.header):
            if written.casefold() == wanted.casefold():
                return place
        msg = f"{self.name} has no column {wanted!r} but {', '.join(self.header[:8])}"
        raise DataFormatError(msg)


def read_table(path: Path) -> Table:
    """Return a table of text, plain or gzipped.

    Raises
    ------
    DataUnavailableError
        If there is no such file.
    DataFormatError
        If it is no table of text, or a row has more or fewer cells than the header.
    """
    lines = _decoded(path).splitlines()
    begin, separator = _header(path.name, lines)
    reader = csv.reader(lines[begin:], delimiter=separator, skipinitialspace=True)
    header = tuple(cell.strip() for cell in next(reader))
    rows, numbers = [], []
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            _refuse_width(f"{path.name} line {begin + reader.line_num}", row, header, separator)
        rows.append(row)
        numbers.append(begin + reader.line_num)
    if not rows:
        msg = f"{path.name} has a header and no rows; export it again"
        raise DataFormatError(msg)
    return Table(
        name=path.name,
        separator=separator,
        header=header,
        columns=tuple(np.char.strip(np.array(cells)) for cells in zip(*rows, strict=True)),
        line=np.array(numbers),
    )


def _decoded(path: Path) -> str:
    """Return a file's text."""
    try:
        content = path.read_bytes()
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
    except FileNotFoundError as error:
        msg = f"{path} does not exist; check the path"
        raise DataUnavailableError(msg) from error
    except (OSError, EOFError) as error:
        msg = f"{path} cannot be read ({error}); check the file"
        raise DataFormatError(msg) from error
    if content.startswith(_SPREADSHEETS):
        msg = f"{path.name} is a spreadsheet or an archive; save the table as CSV"
        raise DataFormatError(msg)
    marks = [mark for mark in _BYTE_ORDER_MARKS if content.startswith(mark)]
    try:
        return content.decode(_BYTE_ORDER_MARKS[marks[0]] if marks else "utf-8")
    except UnicodeDecodeError as error:
        # what is not UTF-8 is of Windows: only headers hold more than ASCII
        if b"\x00" not in content:
            return content.decode("cp1252", errors="replace")
        msg = f"{path.name} is not text; save the table as CSV in UTF-8"
        raise DataFormatError(msg) from error


def _header(name: str, lines: list[str]) -> tuple[int, str]:
    """Return the header's place and the separator: the first line that is as wide as the next."""
    for place, separator in _candidates(lines):
        cells = next(csv.reader([lines[place]], delimiter=separator))
        # a title may be followed by as many separators as there are columns
        named, width = sum(bool(cell.strip()) for cell in cells), len(cells)
        following = [line for line in lines[place + 1 : place + 3] if line.strip()]
        widths = {len(next(csv.reader([line], delimiter=separator))) for line in following}
        if 2 * named >= width > 1 and max(widths, default=0) >= width:
            return place, separator
    msg = (
        f"{name} has no header of two columns or more in its first {PREAMBLE_LINES} lines; "
        "separate columns by , ; or tabs"
    )
    raise DataFormatError(msg)


def _candidates(lines: list[str]) -> Iterator[tuple[int, str]]:
    for place, line in enumerate(lines[:PREAMBLE_LINES]):
        if line.strip() and not line.startswith("#"):
            for separator in SEPARATORS:
                if separator in line:
                    yield place, separator
                    break


def _refuse_width(where: str, row: list[str], header: tuple[str, ...], separator: str) -> NoReturn:
    remedy = "complete the row"
    if separator == "," and len(row) > len(header):
        remedy = "with decimal commas, separate columns by ;"
    msg = f"{where}: {len(row)} cells, the header has {len(header)}; {remedy}"
    raise DataFormatError(msg)
