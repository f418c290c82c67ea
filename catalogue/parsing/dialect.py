"""Detects the dialect of a catalogue: encoding, delimiter and line end."""

import csv
import io
import re
from dataclasses import dataclass

from catalogue.parsing.encoding import Encoding, decode, detect_encoding

_CANDIDATES = ",;\t|"
_SAMPLE_CHARACTERS = 64 * 1024
_SAMPLE_RECORDS = 100

# The line that Excel understands; some exporters quote it.
_SEP_LINE = re.compile(r'"?sep=([!#-/:-@[-^`{-~\t])"?[ ]*(?:\r\n?|\n|\Z)', re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Encoding, delimiter and line end of a catalogue."""

    encoding: Encoding
    delimiter: str
    """One ASCII character."""
    bom: bool
    """Whether the file begins with a byte order mark."""
    line_end: str = "\n"
    """The first line end of the file, "\\r\\n" or "\\n" (also for a lone CR)."""


def detect_dialect(head: bytes, *, complete: bool) -> Dialect:
    """Return the dialect of the file that begins with `head`.

    The delimiter is the one of comma, semicolon, tab and pipe that splits the first records into
    the most columns most consistently; ``sep=;`` in the first line takes precedence. In a file of
    one column it is one that does not occur in the texts.

    Args:
        head: the first bytes of the file, at least 64 KiB or all.
        complete: whether `head` is the whole file.

    Raises:
        NotText: the file is binary.
    """
    encoding, bom = detect_encoding(head, complete=complete)
    text = decode(head[bom : bom + _SAMPLE_CHARACTERS * encoding.unit], encoding)
    cut = not complete or len(head) > bom + _SAMPLE_CHARACTERS * encoding.unit
    sep = _SEP_LINE.match(text)
    end = _LINE_END.search(text)
    return Dialect(
        encoding=encoding,
        delimiter=sep[1] if sep else _detect_delimiter(text.lstrip("\r\n"), cut=cut),
        bom=bom > 0,
        line_end="\r\n" if end and end[0] == "\r\n" else "\n",
    )


def preamble(head: bytes, dialect: Dialect) -> int:
    """Return the length of the BOM and ``sep=`` line before the header, in bytes."""
    unit = dialect.encoding.unit
    bom = 0 if not dialect.bom else 2 if unit == 2 else 3
    sep = _SEP_LINE.match(decode(head[bom : bom + 16 * unit], dialect.encoding))
    return bom + sep.end() * unit if sep else bom


def _detect_delimiter(text: str, *, cut: bool) -> str:
    best, best_score = _CANDIDATES[0], -1.0
    for candidate in _CANDIDATES:
        counts = _field_counts(text, candidate, cut=cut)
        if not counts:
            continue
        columns = counts[0]
        consistent = sum(count == columns for count in counts) / len(counts)
        # A single column scores little, but more than 0: it decides in files of one column.
        score = consistent**2 * (columns - 1 or 0.01)
        if score > best_score:
            best, best_score = candidate, score
    return best


def _field_counts(text: str, delimiter: str, *, cut: bool) -> list[int]:
    """Return the number of fields of each of the first records, without blank lines."""
    counts: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for record in reader:
        counts.append(len(record))
        if len(counts) > _SAMPLE_RECORDS:
            break
    if cut and len(counts) > 1:
        counts.pop()
    return [count for count in counts if count]
