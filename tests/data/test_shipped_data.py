"""The shipped files are as data/README.md describes them."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

DATA = Path(__file__).parents[2] / "data"
GENRES = {
    "crime", "fantasy", "history", "horror", "psychology",
    "romance", "science", "sports", "thriller", "travel",
}  # fmt: skip


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_genre_has_at_least_thirty_long_and_distinct_summaries() -> None:
    books = rows("books.csv")
    counts = Counter(book["genre"] for book in books)
    assert set(counts) == GENRES
    assert min(counts.values()) >= 30
    assert min(len(book["summary"].split()) for book in books) >= 60
    assert (
        len({book["title"] for book in books}) == len({b["summary"] for b in books}) == len(books)
    )
    assert [book["index"] for book in books] == [str(i) for i in range(len(books))]


def test_no_summary_is_made_from_a_template() -> None:
    openings = Counter(" ".join(book["summary"].split()[:4]).lower() for book in rows("books.csv"))
    assert max(openings.values()) <= 2


def test_the_sample_has_the_irregularities_of_a_real_export() -> None:
    path = DATA / "sample_catalogue.csv"
    books = rows(path.name)
    assert len(books) >= 200
    assert "genre" not in {name.lower() for name in books[0]}
    assert all(book["ISBN"].startswith("0") for book in books)
    assert any(book["Title"] == "None" for book in books)
    assert sum(not book["Description"].strip() for book in books) == 2
    assert any('"' in book["Description"] for book in books)
    assert any("\n" in book["Description"] for book in books)
    assert any(not book["Author"].isascii() for book in books)
    assert b"\r\n" in path.read_bytes()


def test_every_isbn_has_the_right_check_digit() -> None:
    for book in rows("sample_catalogue.csv"):
        digits = [10 if c == "X" else int(c) for c in book["ISBN"]]
        assert sum((10 - i) * d for i, d in enumerate(digits)) % 11 == 0
