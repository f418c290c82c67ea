"""Which columns of a catalogue are the summary and the title.

Names are compared without case, accents and separators. The ladder, best first; on each step the
earlier word of `SUMMARY_WORDS` wins, then the column further left:

1. the name is one of the words: "Summary", "BLURB", "book description";
2. the name ends with one: "Book_Description", "short summary";
3. the name holds one anywhere: "summary_text", "description_en".

A name that speaks about the summary ("summary_url", "description_language") is passed over on
the last two steps.
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
    listed,
)
from catalogue.text.decomposition import decomposed

SUMMARY_WORDS: tuple[str, ...] = (
    "summary", "description", "synopsis", "blurb", "abstract", "plot", "overview", "annotation",
    "storyline", "teaser", "about",
    # The same in the languages of the neighbours' exports.
    "zusammenfassung", "beschreibung", "inhaltsangabe", "klappentext", "kurzbeschreibung",
    "resume", "sinopsis", "resumen", "descripcion", "resumo", "descricao", "sinossi", "trama",
    "descrizione", "samenvatting", "omschrijving", "beskrivelse", "beskrivning", "sammanfattning",
    "kuvaus", "opis",
)  # fmt: skip
"""Best first; folded as names are before the comparison."""

TITLE_WORDS: tuple[str, ...] = (
    "title", "booktitle", "maintitle", "fulltitle", "name", "bookname",
    "titel", "titre", "titulo", "titolo", "tittel", "nimi", "tytul",
)  # fmt: skip
"""Best first; folded as names are before the comparison."""

_EXACT_ONLY = frozenset({"about", "plot", "resume", "trama", "opis"})
_COMPOUNDS = tuple(
    prefix + word for prefix in ("", "book", "product", "plot", "long") for word in SUMMARY_WORDS
)
_SPEAKS_ABOUT = re.compile(
    r"(id|url|uri|link|lang|language|length|len|count|words|source|src|date|type|author|by|hash|"
    r"format|status|rating|score|image)\Z"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnNames:
    """What a caller calls the columns that are read; None for one that is to be found by its name."""

    summary: str | None = None
    title: str | None = None


FIND_COLUMNS = ColumnNames()


class ReadColumns(NamedTuple):
    """Indices of the columns that are read."""

    summary: int
    title: int | None
    """None: no title is read."""


def find_summary_column(header: Sequence[str]) -> int:
    """Return the index of the column that holds the summary.

    Raises:
        NoSummaryColumn: no name looks like one.
    """
    names = [_folded(name) for name in header]
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
            if word in name and not _SPEAKS_ABOUT.search(name):
                return index
    raise NoSummaryColumn(
        f"No column looks like a summary. The columns are: {listed(header)}. "
        "Rename the column that holds the texts to “summary”, or name it in the request."
    )


def find_title_column(header: Sequence[str]) -> int | None:
    """Return the index of the column that holds the title; None if no name looks like one."""
    names = [_folded(name) for name in header]
    return next((names.index(word) for word in TITLE_WORDS if word in names), None)


def choose_columns(header: Sequence[str], names: ColumnNames) -> ReadColumns:
    """Return which columns are read: those that the caller names, else those that are found.

    No column is read twice: one that is the summary is no title, also when it was named as both.

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
    """Return the index of the column that the caller calls `name`.

    The exact name comes first, then one that differs in case and white space only; of several
    columns of one name, the first.
    """
    if name in header:
        return header.index(name)
    loose = ["".join(column.split()).casefold() for column in header]
    wanted = "".join(name.split()).casefold()
    if wanted and wanted in loose:
        return loose.index(wanted)
    raise unknown(
        f"There is no column {listed([name])}. The columns are: {listed(header)}. "
        f"Name one of them as the {meaning} column."
    )


def explain_match(header: Sequence[str], index: int) -> str:
    """Return, as a sentence, why `find_summary_column` has chosen this column."""
    name = _folded(header[index])
    if name in _COMPOUNDS:
        return "Its name is a word for a summary."
    word = next((word for word in SUMMARY_WORDS if name.endswith(word)), None)
    if word is not None:
        return f"Its name ends with “{word}”."
    word = next(word for word in SUMMARY_WORDS if word in name)
    return f"Its name holds “{word}”."


def _folded(name: str) -> str:
    letters = decomposed(name).casefold()
    return "".join(char for char in letters if char.isalnum())
