"""Corrections: genres that people chose for rows, in the result and as training data.

A correction with the predicted genre is a confirmation.
"""

from collections.abc import Mapping, Sequence

from catalogue.errors import InvalidGenre
from catalogue.labelled.csv_writer import encode_lines, line
from catalogue.labelled.formulas import begins_as_formula
from catalogue.labelled.labels import unique_name
from catalogue.labelled.reader import ResultRow, ResultSchema
from catalogue.limits import MAX_GENRE_CHARACTERS
from catalogue.parsing.schema import CatalogueSchema

CORRECTION_COLUMN = "corrected_genre"
"""The last column, in results of jobs with corrections."""

_TRAINING_COLUMNS = ("title", "genre", "summary")


def normalise_genre(genre: str) -> str:
    """Return the genre with white space trimmed and collapsed.

    Raises:
        InvalidGenre: it is empty, too long, or unsafe in a spreadsheet cell.
    """
    normalised = " ".join(genre.split())
    if not normalised or len(normalised) > MAX_GENRE_CHARACTERS or not normalised.isprintable():
        raise InvalidGenre(f"A genre has 1 to {MAX_GENRE_CHARACTERS} printable characters.")
    if begins_as_formula(normalised) or "|" in normalised:
        raise InvalidGenre(
            "A genre must not contain | or begin like a formula (=, +, -, @, also full-width); "
            "reword it."
        )
    return normalised


def encode_corrected_header(result: ResultSchema) -> bytes:
    """Return the header line of the corrected result, with the byte order mark if any."""
    used = {name.strip().casefold() for name in result.header}
    names = (*result.header, unique_name(CORRECTION_COLUMN, used))
    bom = "\ufeff" if result.dialect.bom else ""
    return encode_lines([bom + line(names, result.dialect.delimiter, result.dialect.line_end)])


def encode_corrected(
    result: ResultSchema, rows: Sequence[ResultRow], genres: Mapping[int, str]
) -> bytes:
    """Return the lines of the rows with their corrections; all other cells are unchanged.

    Args:
        result: the schema of the result.
        rows: its rows and blank lines.
        genres: row number → corrected genre.
    """
    delimiter, end, width = result.dialect.delimiter, result.dialect.line_end, len(result.header)
    lines: list[str] = []
    for row in rows:
        if row.blank:
            lines.append(end)
        else:
            genre = genres.get(row.number, "")
            lines.append(line((*row.cells[:width], genre, *row.cells[width:]), delimiter, end))
    return encode_lines(lines)


def encode_training_header() -> bytes:
    """Return the header line of the training data, a CSV with commas."""
    return encode_lines([line(_TRAINING_COLUMNS, ",", "\n")])


def encode_training(
    schema: CatalogueSchema, rows: Sequence[ResultRow], genres: Mapping[int, str]
) -> bytes:
    """Return title, genre and summary of the corrected rows as CSV lines.

    Args:
        schema: the schema of the labelled catalogue.
        rows: rows of its result.
        genres: row number → corrected genre; other rows are skipped.
    """
    title = schema.title_index
    return encode_lines(
        [
            line(
                (
                    row.cells[title] if title is not None else "",
                    genres[row.number],
                    row.cells[schema.summary_index],
                ),
                ",",
                "\n",
            )
            for row in rows
            if row.number in genres and not row.blank
        ]
    )
