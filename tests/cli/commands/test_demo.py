"""The demo's summary of a labelled catalogue, and the texts that describe a job."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.batch.labelled_file import read_labelled
from cli.batch.targets import default_target
from cli.commands.demo import genres_table, summarise, title_of, titles_table
from cli.commands.formatting import describe, duration, outcome, rows_done, size
from cli.http.job_document import JobDocument
from tests.cli.fake_api import job_document

HEADER = [
    "Title",
    "predicted_genre",  # a column of the catalogue; the added one gets a suffix
    "Summary",
    "predicted_genre_2",
    "confidence",
    "second_genre",
    "second_confidence",
    "genre_set",
    "needs_review",
    "row_error",
    "row_error_detail",
]
ROWS = [
    ["Emma [1]", "x", "words", "romance", "0.9100", "crime", "0.05", "romance", "false", "", ""],
    ["None", "x", "", "", "", "", "", "", "true", "EMPTY_SUMMARY", ""],
    [
        "Ulysses",
        "x",
        "words",
        "romance",
        "0.4",
        "crime",
        "0.3",
        "romance|crime",
        "true",
        "",
        "",
        "more",
    ],
]


def write(path: Path, delimiter: str, encoding: str = "utf-8") -> Path:
    lines = [delimiter.join(row) for row in [HEADER, *ROWS]]
    lines.insert(2, "")  # blank lines are kept
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_counts_are_right_in_every_dialect(tmp_path: Path, delimiter: str, encoding: str) -> None:
    counts = summarise(write(tmp_path / "x.csv", delimiter, encoding)).counts
    assert counts.rows == 3
    assert counts.needs_review == 2
    assert counts.genres == {"romance": 2}
    assert counts.errors == {"EMPTY_SUMMARY": 1}


def test_a_column_of_the_catalogue_is_not_mistaken_for_the_label(tmp_path: Path) -> None:
    rows = list(read_labelled(write(tmp_path / "x.csv", ",")))
    assert [row.genre for row in rows] == ["romance", "", "romance"]
    assert rows[0].own["predicted_genre"] == "x"
    assert [title_of(row) for row in rows] == ["Emma [1]", "None", "Ulysses"]


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n"])
def test_a_file_without_label_columns_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(ValueError, match="no labelled catalogue"):
        summarise(tmp_path / "x.csv")


def test_the_demo_shows_titles_genres_and_rows_to_review(tmp_path: Path) -> None:
    labelled = summarise(write(tmp_path / "x.csv", ","))
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(titles_table(labelled))
    console.print(genres_table(labelled.counts))
    text = console.export_text()
    assert "2 of 3 rows" in text
    assert [line.split("│")[1].strip() for line in text.splitlines() if "%" in line] == [
        "Emma [1]",
        "Ulysses",
    ]
    assert "91%" in text
    assert text.count("│ review │") == 1
    assert "2 rows for a person to review" in text
    assert "(EMPTY_SUMMARY)" in text


def test_the_result_is_named_after_the_catalogue_in_the_same_folder() -> None:
    assert default_target(Path("a/books.csv")) == Path("a/books.labelled.csv")
    assert default_target(Path("books")) == Path("books.labelled.csv")


def job(state: str = "completed", **changes: Any) -> JobDocument:
    return JobDocument.of(job_document(state=state, **changes))


def test_a_total_that_is_not_final_is_not_shown() -> None:
    assert rows_done(job("in_progress")) == "10 of 10 rows"
    assert rows_done(job("validating", total_is_final=False)) == "10 rows"


def test_rows_not_done_are_part_of_the_outcome() -> None:
    counts = {"total": 1, "labelled": 0, "failed": 0, "pending": 1}
    assert outcome(job("cancelled", row_counts=counts)) == (
        "1 row: 0 labelled, 0 with an error, 1 not done"
    )


def test_the_line_of_a_running_job_has_rate_and_time_left() -> None:
    line = describe(job("in_progress", eta_seconds=4.4))
    assert line == "job_1  catalogue.csv: labelling · 10 of 10 rows · 812 rows/s · 4 s left"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3_599, "59 min 59 s"),
        (7_260, "2 h 1 min"),
    ],
)
def test_durations_as_text(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (46_200_000, "46.2 MB")]
)
def test_sizes_as_text(number: int, text: str) -> None:
    assert size(number) == text


def test_a_result_with_evidence_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(
        "id,predicted_genre,confidence,second_genre,second_confidence,genre_set,needs_review,"
        "row_error,row_error_detail,evidence\n"
        "1,crime,0.9,horror,0.1,crime,false,,,knife|alibi\n"
    )
    (row,) = read_labelled(path)
    assert (row.own, row.genre, row.needs_review) == ({"id": "1"}, "crime", False)
