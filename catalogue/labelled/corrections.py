"""What a person says about rows: a genre beside the model's, in the result and as data to train on.

A correction may repeat the model's genre: then a person has confirmed it.
"""

from collections.abc import Mapping, Sequence

from catalogue.errors import InvalidGenre
from catalogue.labelled.csv_writer import encoded, line
from catalogue.labelled.formulas import begins_as_formula
from catalogue.labelled.labels import unique_name
from catalogue.labelled.reader import ResultRow, ResultSchema
from catalogue.limits import MAX_GENRE_CHARACTERS
from catalogue.parsing.schema import CatalogueSchema

CORRECTION_COLUMN = "corrected_genre"
"""Stands last, in results of jobs that have corrections."""

_TRAINING_COLUMNS = ("title", "genre", "summary")


def normalise_genre(genre: str) -> str:
    """Return the genre as it is kept: white space trimmed and runs of it made one.

    Raises:
        InvalidGenre: it is empty, too long, or would do harm in a cell.
    """
    kept = " ".join(genre.split())
    if not kept or len(kept) > MAX_GENRE_CHARACTERS or not kept.isprintable():
        raise InvalidGenre(f"A genre has 1 to {MAX_GENRE_CHARACTERS} printable characters.")
    if begins_as_formula(kept) or "|" in kept:
        raise InvalidGenre(
            "A genre may not hold | nor begin with a sign of formulas (=, +, -, @, also full-width); reword it."
        )
    return kept


def encode_corrected_header(result: ResultSchema) -> bytes:
    """Return how the corrected result begins: as the result does, with one more column."""
    taken = {name.strip().casefold() for name in result.header}
    names = (*result.header, unique_name(CORRECTION_COLUMN, taken))
    bom = "\ufeff" if result.dialect.bom else ""
    return encoded([bom + line(names, result.dialect.delimiter, result.dialect.line_end)])


def encode_corrected(
    result: ResultSchema, rows: Sequence[ResultRow], genres: Mapping[int, str]
) -> bytes:
    """Return the lines of rows with what a person said of each; every other cell stays.

    Args:
        result: the layout of the result.
        rows: rows and blank lines of it.
        genres: row number → what a person said.
    """
    delimiter, end, width = result.dialect.delimiter, result.dialect.line_end, len(result.header)
    lines: list[str] = []
    for row in rows:
        if row.blank:
            lines.append(end)
        else:
            genre = genres.get(row.number, "")
            lines.append(line((*row.cells[:width], genre, *row.cells[width:]), delimiter, end))
    return encoded(lines)


def encode_training_header() -> bytes:
    """Return the header line of the data to train on, which is a CSV with commas."""
    return encoded([line(_TRAINING_COLUMNS, ",", "\n")])


def encode_training(
    layout: CatalogueSchema, rows: Sequence[ResultRow], genres: Mapping[int, str]
) -> bytes:
    """Return the lines of the corrected ones among `rows`: title, genre and summary.

    Args:
        layout: the layout of the catalogue that was labelled.
        rows: rows of its result.
        genres: row number → what a person said; rows that are missing here are left out.
    """
    title = layout.title_index
    return encoded(
        [
            line(
                (
                    row.cells[title] if title is not None else "",
                    genres[row.number],
                    row.cells[layout.summary_index],
                ),
                ",",
                "\n",
            )
            for row in rows
            if row.number in genres and not row.blank
        ]
    )
