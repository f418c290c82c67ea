"""A result as a table of typed values, for formats with types."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from catalogue.labelled.corrections import CORRECTION_COLUMN
from catalogue.labelled.labels import LABEL_COLUMNS
from catalogue.labelled.reader import ResultRow, ResultSchema

Value = str | float | bool | list[str] | None

Batch = tuple[Sequence[ResultRow], Mapping[int, str]]
"""Rows and blank lines, and corrected genres by row number."""

EXTRA_COLUMN = "extra_cells"
"""Cells of a row beyond the header."""


class Kind(Enum):
    """The type of a column."""

    TEXT = "text"  # input column: never None
    WORD = "word"  # text or None
    NUMBER = "number"
    FLAG = "flag"
    LIST = "list"


_KINDS = {
    "confidence": Kind.NUMBER,
    "second_confidence": Kind.NUMBER,
    "genre_set": Kind.LIST,
    "needs_review": Kind.FLAG,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The columns of a result, with unique names, and its rows as values."""

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    width: int
    """Columns of the result, without corrections and extra cells."""
    corrected: bool

    @classmethod
    def of(cls, result: ResultSchema, *, corrected: bool) -> "Table":
        """Return the table of a result; `corrected` adds the column of corrections."""
        names, kinds = list(result.header), [Kind.TEXT] * result.width
        for place in range(result.width, len(result.header)):
            label = place - result.width
            kind = _KINDS.get(LABEL_COLUMNS[label]) if label < len(LABEL_COLUMNS) else None
            kinds.append(kind or Kind.WORD)
        if corrected:
            names.append(CORRECTION_COLUMN)
            kinds.append(Kind.WORD)
        names.append(EXTRA_COLUMN)
        kinds.append(Kind.LIST)
        return cls(
            names=_distinct(names),
            kinds=tuple(kinds),
            width=len(result.header),
            corrected=corrected,
        )

    def rows(self, batches: Iterable[Batch]) -> Iterator[list[Value]]:
        """Yield the values of each row, one per name; blank lines are skipped."""
        for rows, genres in batches:
            for row in rows:
                if row.blank:
                    continue
                cells = row.cells[: self.width]
                if self.corrected:
                    cells.append(genres.get(row.number, ""))
                values = [_value(*pair) for pair in zip(cells, self.kinds, strict=False)]
                values.append([_clean(cell) for cell in row.cells[self.width :]])
                yield values


def _value(cell: str, kind: Kind) -> Value:
    if kind is Kind.TEXT:
        return _clean(cell)
    if kind is Kind.LIST:
        return cell.split("|") if cell else []
    if not cell:
        return None
    if kind is Kind.NUMBER:
        return float(cell)
    return cell == "true" if kind is Kind.FLAG else _clean(cell)


def _clean(cell: str) -> str:
    """The cell as valid Unicode: bytes that are not UTF-8 become U+FFFD."""
    try:
        cell.encode()
    except UnicodeEncodeError:
        return cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return cell


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Unique names: repeated ones get a suffix, empty ones a name."""
    distinct: dict[str, None] = {}
    # The next suffix of each name; starting at 2 every time would take quadratic time.
    suffixes: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        base = free = _clean(name) or f"column_{number}"
        while free in distinct:
            suffixes[base] = suffixes.get(base, 1) + 1
            free = f"{base}_{suffixes[base]}"
        distinct[free] = None
    return tuple(distinct)
