"""Detects the summary and title columns by their names.

Names are compared without case, accents and separators. The rules, in order of preference; within a
rule the earlier word of `SUMMARY_WORDS` wins, then the leftmost column:

1. the name is one of the words: "Summary", "BLURB", "book description";
2. the name ends with one: "Book_Description", "short summary";
3. the name contains one: "summary_text", "description_en".

Names of metadata about the summary ("summary_url") do not match the third rule.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from catalogue.errors import (
    CatalogueError,
    NoSummaryColumn,
    SummaryColumnUnknown,
    TitleColumnUnknown,
    format_names,
)
from catalogue.text.decomposition import decomposed

SUMMARY_WORDS: tuple[str, ...] = (
    "summary", "description", "synopsis", "blurb", "abstract", "plot", "overview", "annotation",
    "storyline", "teaser", "about",
    # The same in other European languages.
    "zusammenfassung", "beschreibung", "inhaltsangabe", "klappentext", "kurzbeschreibung",
    "resume", "sinopsis", "resumen", "descripcion", "resumo", "descricao", "sinossi", "trama",
    "descrizione", "samenvatting", "omschrijving", "beskrivelse", "beskrivning", "sammanfattning",
    "kuvaus", "opis",
)  # fmt: skip
"""In order of preference, normalised like the names."""

TITLE_WORDS: tuple[str, ...] = (
    "title", "booktitle", "maintitle", "fulltitle", "name", "bookname",
    "titel", "titre", "titulo", "titolo", "tittel", "nimi", "tytul",
)  # fmt: skip
"""In order of preference, normalised like the names."""

_EXACT_ONLY = frozenset({"about", "plot", "resume", "trama", "opis"})
_COMPOUNDS = tuple(
    prefix + word for prefix in ("", "book", "product", "plot", "long") for word in SUMMARY_WORDS
)
_METADATA = re.compile(
    r"(id|url|uri|link|lang|language|length|len|count|words|source|src|date|type|author|by|hash|"
    r"format|status|rating|score|image)\Z"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnNames:
    """The columns that a caller chose; None: detect the column by its name."""

    summary: str | None = None
    title: str | None = None


FIND_COLUMNS = ColumnNames()


class ReadColumns(NamedTuple):
    """Indices of the summary and title columns."""

    summary: int
    title: int | None
    """None: the catalogue has no title."""


def find_summary_column(header: Sequence[str]) -> int:
    """Return the index of the summary column.

    Raises:
        NoSummaryColumn: no name matches.
    """
    names = [_normalised(name) for name in header]
    for word in _COMPOUNDS:
        if word in names:
            return names.index(word)
    loose = [word for word in SUMMARY_WORDS if word not in _EXACT_ONLY]
    for word in loose:
        for index, name in enumerate(names):
            if name.endswith(word):
                return index
    for word in loose:
        for index, name in enumerate(names):
            if word in name and not _METADATA.search(name):
                return index
    raise NoSummaryColumn(
        f"No column looks like a summary. The columns are: {format_names(header)}. "
        "Rename the column that holds the texts to “summary”, or name it in the request."
    )


def find_title_column(header: Sequence[str]) -> int | None:
    """Return the index of the title column; None if no name matches."""
    names = [_normalised(name) for name in header]
    return next((names.index(word) for word in TITLE_WORDS if word in names), None)


def choose_columns(header: Sequence[str], names: ColumnNames) -> ReadColumns:
    """Return the columns that the caller chose, else the detected ones.

    The summary column is never the title column as well.

    Raises:
        NoSummaryColumn, SummaryColumnUnknown, TitleColumnUnknown.
    """
    summary = (
        find_summary_column(header)
        if names.summary is None
        else _named(header, names.summary, "summary", SummaryColumnUnknown)
    )
    title = (
        find_title_column(header)
        if names.title is None
        else _named(header, names.title, "title", TitleColumnUnknown)
    )
    return ReadColumns(summary, None if title == summary else title)


def _named(header: Sequence[str], name: str, meaning: str, unknown: type[CatalogueError]) -> int:
    """Return the index of the column `name`.

    An exact match is preferred to one that differs in case or white space; of equal names the first
    is used.
    """
    if name in header:
        return header.index(name)
    normalised = ["".join(column.split()).casefold() for column in header]
    key = "".join(name.split()).casefold()
    if key and key in normalised:
        return normalised.index(key)
    raise unknown(
        f"There is no column {format_names([name])}. The columns are: {format_names(header)}. "
        f"Name one of them as the {meaning} column."
    )


def explain_match(header: Sequence[str], index: int) -> str:
    """Return a sentence that says why `find_summary_column` chose this column."""
    name = _normalised(header[index])
    if name in _COMPOUNDS:
        return "Its name is a word for a summary."
    word = next((word for word in SUMMARY_WORDS if name.endswith(word)), None)
    if word is not None:
        return f"Its name ends with “{word}”."
    word = next(word for word in SUMMARY_WORDS if word in name)
    return f"Its name contains “{word}”."


def _normalised(name: str) -> str:
    letters = decomposed(name).casefold()
    return "".join(char for char in letters if char.isalnum())
