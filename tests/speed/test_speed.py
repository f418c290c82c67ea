"""The rows and the report of the benchmark. `make bench` measures."""

from __future__ import annotations

import csv
from pathlib import Path

from benchmarks.speed import report
from benchmarks.speed.catalogue import mix, write_catalogue
from catalogue.text.cleaning import clean

SECONDS = {
    "spinelabel": [2.0, 4.0, 1.0],
    "script": [4.0, 4.0, 4.0],
    "roofline": [1.8, 3.6, 0.9],
}


def cleaned(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as stream:
        return [clean(row["summary"]) for row in csv.DictReader(stream)]


def test_all_rows_differ_after_cleaning(tmp_path: Path) -> None:
    # Duplicates are predicted once, which would favour Spinelabel.
    write_catalogue(tmp_path / "a.csv", 3000)
    texts = cleaned(tmp_path / "a.csv")
    assert len(set(texts)) == len(texts) == 3000


def test_the_second_catalogue_has_the_share_of_new_rows(tmp_path: Path) -> None:
    write_catalogue(tmp_path / "a.csv", 400)
    mix(tmp_path / "b.csv", tmp_path / "a.csv", new_share=0.05, seed=2)
    before, after = cleaned(tmp_path / "a.csv"), cleaned(tmp_path / "b.csv")
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 20


def test_ratios_are_medians_over_the_rounds() -> None:
    assert report.ratios(SECONDS) == "spinelabel/script=2.00 spinelabel/roofline=0.90"


def test_the_table_has_median_minimum_and_maximum() -> None:
    line = next(line for line in report.table(SECONDS, 400).splitlines() if "spinelabel" in line)
    assert line.split() == ["spinelabel", "200", "100", "400"]
