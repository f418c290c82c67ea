"""Reads and validates labelled CSV files."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from catalogue.text.cleaning import clean, clean_book
from catalogue.text.language import foreign_language
from training.errors import TrainingError

SUMMARY_COLUMNS = ("summary", "description", "blurb", "abstract", "synopsis", "plot", "text")
LABEL_COLUMNS = ("genre", "label", "category", "class")
TITLE_COLUMNS = ("title", "name")

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class LabelledTexts:
    """Cleaned texts and their labels."""

    texts: tuple[str, ...]
    labels: Ints  # [N], positions among the label names

    @classmethod
    def empty(cls) -> "LabelledTexts":
        """No rows."""
        return cls(texts=(), labels=np.zeros(0, dtype=np.int64))

    def select(self, mask: npt.NDArray[np.bool_]) -> "LabelledTexts":
        """The rows where ``mask`` [N] is true."""
        texts = tuple(text for text, selected in zip(self.texts, mask, strict=True) if selected)
        return LabelledTexts(texts=texts, labels=self.labels[mask])


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Distinct books with their labels; row i of every field is the same book."""

    texts: tuple[str, ...]  # input of the models: title and summary, cleaned
    summaries: tuple[str, ...]  # the summaries alone, cleaned; no two are equal
    labels: Ints  # [N], positions in label_names
    label_names: tuple[str, ...]
    titles: tuple[str, ...]
    raw_summaries: tuple[str, ...]  # the summaries before cleaning
    rows_read: int
    empty_rows: int
    foreign_rows: int  # not in English
    unlabelled_rows: int
    duplicate_rows: int

    def __len__(self) -> int:
        return len(self.texts)

    def labelled_texts(self) -> LabelledTexts:
        """Texts and labels of all rows."""
        return LabelledTexts(texts=self.texts, labels=self.labels)

    def rows_per_label(self) -> dict[str, int]:
        """Number of rows by label name."""
        counts = np.bincount(self.labels, minlength=len(self.label_names))
        return {name: int(counts[index]) for index, name in enumerate(self.label_names)}

    def fingerprint(self) -> str:
        """Hexadecimal SHA-256 over labels and cleaned texts; independent of the row order."""
        names = [self.label_names[label] for label in self.labels]
        return _fingerprint(zip(names, self.texts, strict=True))


@dataclass(frozen=True, kw_only=True)
class ExtraTexts:
    """Additional cleaned texts. ``labels`` are names; they may be empty or unknown to the data."""

    texts: tuple[str, ...]
    summaries: tuple[str, ...]  # without the titles
    labels: tuple[str, ...]
    foreign_rows: int = 0  # dropped because they are not in English

    def excluding(self, summaries: Sequence[str]) -> "ExtraTexts":
        """The rows whose summary is not among ``summaries``, so that no held-out row leaks."""
        excluded = set(summaries)
        kept = [row for row, summary in enumerate(self.summaries) if summary not in excluded]
        return ExtraTexts(
            texts=tuple(self.texts[row] for row in kept),
            summaries=tuple(self.summaries[row] for row in kept),
            labels=tuple(self.labels[row] for row in kept),
            foreign_rows=self.foreign_rows,
        )

    def fingerprint(self) -> str:
        """Hexadecimal SHA-256 over labels and texts; independent of their order."""
        return _fingerprint(zip(self.labels, self.texts, strict=True))


NO_EXTRA_TEXTS = ExtraTexts(texts=(), summaries=(), labels=())


def _fingerprint(rows: Iterable[tuple[str, str]]) -> str:
    lines = sorted(f"{label}\t{text}" for label, text in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_corpus(
    path: Path,
    *,
    title: bool = True,
    summary_column: str | None = None,
    label_column: str | None = None,
) -> Corpus:
    """Read the labelled rows of a CSV, clean them and drop duplicates.

    Of equal summaries the first row is kept. Rows without summary or label, and rows whose summary
    is not in English, are dropped and counted.

    Args:
        path: CSV in UTF-8 with a header.
        title: whether the texts begin with the title, if there is one.
        summary_column: name of the summary column; None: one of ``SUMMARY_COLUMNS``.
        label_column: name of the label column; None: one of ``LABEL_COLUMNS``.

    Raises:
        TrainingError: the file or a column is missing, there are no rows, no word is left after
            cleaning, there are fewer than two labels, or a label has a single row.
    """
    table = _read_table(path)
    summaries = _column(table, path, SUMMARY_COLUMNS, summary_column, "summary")
    labels = [
        " ".join(value.split())
        for value in _column(table, path, LABEL_COLUMNS, label_column, "label")
    ]
    titles = _optional_column(table, TITLE_COLUMNS)
    foreign = [foreign_language(value) is not None for value in summaries]
    texts = ["" if skip else clean(value) for value, skip in zip(summaries, foreign, strict=True)]
    if not any(texts):
        raise TrainingError(
            f"{path}: no summary has an English word left after cleaning; name the right column "
            "with --summary-column."
        )
    kept: dict[str, int] = {}
    for index, (text, label) in enumerate(zip(texts, labels, strict=True)):
        if text and label:
            kept.setdefault(text, index)
    rows = list(kept.values())
    names = tuple(sorted({labels[index] for index in rows}))
    _check_labels(path, names, [labels[index] for index in rows])
    position = {name: index for index, name in enumerate(names)}
    empty = sum(not text for text in texts) - sum(foreign)
    unlabelled = sum(1 for text, label in zip(texts, labels, strict=True) if text and not label)
    return Corpus(
        texts=tuple(clean_book(titles[index] if title else "", summaries[index]) for index in rows),
        summaries=tuple(texts[index] for index in rows),
        labels=np.array([position[labels[index]] for index in rows], dtype=np.int64),
        label_names=names,
        titles=tuple(titles[index] for index in rows),
        raw_summaries=tuple(summaries[index] for index in rows),
        rows_read=len(texts),
        empty_rows=empty,
        foreign_rows=sum(foreign),
        unlabelled_rows=unlabelled,
        duplicate_rows=len(texts) - empty - sum(foreign) - unlabelled - len(rows),
    )


def read_extra_texts(path: Path, *, title: bool = True) -> ExtraTexts:
    """Read the texts of a CSV whose label column is optional, clean them and drop duplicates.

    Texts that are not in English are dropped and counted.

    Raises:
        TrainingError: the file or the summary column is missing, or there are no rows.
    """
    table = _read_table(path)
    summaries = _column(table, path, SUMMARY_COLUMNS, None, "summary")
    labels = _optional_column(table, LABEL_COLUMNS)
    titles = _optional_column(table, TITLE_COLUMNS)
    kept: dict[str, tuple[str, str]] = {}
    foreign = 0
    for book_title, summary, label in zip(titles, summaries, labels, strict=True):
        if foreign_language(summary) is not None:
            foreign += 1
            continue
        cleaned = clean(summary)
        if cleaned and cleaned not in kept:
            text = clean_book(book_title if title else "", summary)
            kept[cleaned] = (text, " ".join(label.split()))
    return ExtraTexts(
        texts=tuple(text for text, _ in kept.values()),
        summaries=tuple(kept),
        labels=tuple(label for _, label in kept.values()),
        foreign_rows=foreign,
    )


@dataclass(frozen=True, kw_only=True)
class Book:
    """A title ("" if there is none) and a summary, not cleaned."""

    title: str = ""
    summary: str


def read_books(path: Path, *, summary_column: str | None = None) -> list[Book]:
    """Read the books of a CSV without labels, one per row.

    Raises:
        TrainingError: the file or the summary column is missing, or there are no rows.
    """
    table = _read_table(path)
    summaries = _column(table, path, SUMMARY_COLUMNS, summary_column, "summary")
    titles = _optional_column(table, TITLE_COLUMNS)
    return [Book(title=t, summary=s) for t, s in zip(titles, summaries, strict=True)]


def _read_table(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            index_col=False,
            encoding="utf-8-sig",
        )
    except FileNotFoundError as error:
        raise TrainingError(f"{path}: there is no such file; check the path.") from error
    except pd.errors.EmptyDataError as error:
        raise TrainingError(f"{path} is empty: it needs a header and rows.") from error
    except UnicodeDecodeError as error:
        raise TrainingError(f"{path} is not UTF-8 text; save it as CSV in UTF-8.") from error
    except pd.errors.ParserError as error:
        raise TrainingError(
            f"{path} is not a comma-separated table: {error}; save it as CSV."
        ) from error
    if table.empty:
        raise TrainingError(f"{path} has a header but no rows; add labelled rows.")
    return table


def _column(
    table: pd.DataFrame, path: Path, candidates: Sequence[str], option: str | None, role: str
) -> list[str]:
    expected = (option,) if option else candidates
    name = _column_name(table, expected)
    if name is None:
        raise TrainingError(
            f"{path} has no {role} column: expected {', '.join(expected)}, but it has "
            f"{', '.join(map(str, table.columns))}; name it with --{role}-column."
        )
    return [str(value) for value in table[name]]


def _optional_column(table: pd.DataFrame, candidates: Sequence[str]) -> list[str]:
    name = _column_name(table, candidates)
    return [""] * len(table) if name is None else [str(value) for value in table[name]]


def _column_name(table: pd.DataFrame, candidates: Sequence[str]) -> str | None:
    by_name = {str(name).strip().casefold(): str(name) for name in reversed(table.columns)}
    for candidate in candidates:
        if candidate.strip().casefold() in by_name:
            return by_name[candidate.strip().casefold()]
    return None


def _check_labels(path: Path, names: Sequence[str], labels: Sequence[str]) -> None:
    if len(names) < 2:
        raise TrainingError(
            f"{path} has {len(names)} label(s) with text; add rows, so that there are at least two."
        )
    for name in names:
        if labels.count(name) < 2:
            raise TrainingError(
                f"{path}: the label '{name}' has one row; it needs at least two, one for training "
                "and one for evaluation. Add rows or remove the label."
            )
