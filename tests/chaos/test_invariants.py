"""Each check of an invariant detects its violation."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

from benchmarks.chaos.catalogues import Catalogue, failed_rows, make_catalogue, make_catalogues
from benchmarks.chaos.invariants import (
    check_cancelled,
    check_counts,
    check_ended,
    check_reference,
    read_rows,
)
from catalogue.labelled.labels import LABEL_COLUMNS


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return make_catalogue("c", 60, random.Random(1))


@pytest.fixture(scope="module")
def result(catalogue: Catalogue) -> bytes:
    """A correct result of the catalogue."""
    return b"".join(lines_of(catalogue))


def lines_of(catalogue: Catalogue) -> list[bytes]:
    lines = [",".join(("sku", "title", "summary", *LABEL_COLUMNS)).encode() + b"\n"]
    for row in catalogue.rows:
        labels = ("crime", "0.9", "horror", "0.1", "crime", "false", "", "")
        if not row[2]:
            labels = ("", "", "", "", "", "true", "EMPTY_SUMMARY", "")
        cells = ['"' + cell.replace('"', '""') + '"' for cell in (*row, *labels)]
        lines.append(",".join(cells).encode() + b"\n")
    return lines


def ended(catalogue: Catalogue, state: str = "completed", **counts: int) -> Mapping[str, Any]:
    failed, total = failed_rows(catalogue), len(catalogue.rows)
    row_counts = {"total": total, "labelled": total - failed, "failed": failed, "pending": 0}
    return {"state": state, "error": None, "row_counts": row_counts | counts}


def test_catalogues_have_failing_quoted_and_unique_rows() -> None:
    catalogues = make_catalogues(seed=1)
    assert [c.content for c in catalogues] == [c.content for c in make_catalogues(seed=1)]
    assert catalogues[0].content != make_catalogues(seed=2)[0].content
    for catalogue in catalogues:
        assert [tuple(row) for row in read_rows(catalogue.content)[1:]] == list(catalogue.rows)
        assert 0 < failed_rows(catalogue) < len(catalogue.rows)
        assert any("\n" in row[2] and '"' in row[2] for row in catalogue.rows)
        assert len({row[0] for row in catalogue.rows}) == len(catalogue.rows)


def test_a_correct_job_passes(catalogue: Catalogue, result: bytes) -> None:
    assert check_reference(catalogue, result) == []
    assert check_ended(ended(catalogue), result, catalogue, result).violations == ()


def test_lost_repeated_moved_and_altered_rows_are_detected(
    catalogue: Catalogue, result: bytes
) -> None:
    lines = lines_of(catalogue)
    damaged = {
        "lost": lines[:5] + lines[6:],
        "repeated": [*lines[:5], lines[4], *lines[5:]],
        "moved": [*lines[:5], lines[6], lines[5], *lines[7:]],
        "altered": [*lines[:5], lines[5].replace(b"crime", b"sport"), *lines[6:]],
        "blank line": [*lines[:5], b"\n", *lines[5:]],
        "other line end": [*lines[:-1], lines[-1].replace(b"\n", b"\r\n")],
        "nothing": [],
        "header only": lines[:1],
    }
    for name, lines_left in damaged.items():
        checked = check_ended(ended(catalogue), b"".join(lines_left), catalogue, result)
        assert checked.violations, name
    lost = check_ended(ended(catalogue), b"".join(damaged["lost"]), catalogue, result)
    assert (lost.lost_rows, lost.wrong_rows) == (1, 0)
    assert check_ended(ended(catalogue), b"", catalogue, result).lost_rows == 60
    for name in ("repeated", "moved", "altered"):
        checked = check_ended(ended(catalogue), b"".join(damaged[name]), catalogue, result)
        assert checked.lost_rows == 0
        assert checked.wrong_rows > 0, name


def test_a_failed_job_and_wrong_counts_are_detected(catalogue: Catalogue, result: bytes) -> None:
    for document in (
        ended(catalogue, "failed"),
        ended(catalogue, labelled=1),
        ended(catalogue, total=59),
        ended(catalogue, pending=1),
    ):
        assert check_ended(document, result, catalogue, result).violations


def test_counts_that_do_not_add_up_are_detected(catalogue: Catalogue) -> None:
    assert check_counts(ended(catalogue)) == []
    assert check_counts(ended(catalogue, pending=-1, total=59))
    assert check_counts(ended(catalogue, labelled=0))


def test_a_partial_result_is_checked(catalogue: Catalogue, result: bytes) -> None:
    lines = lines_of(catalogue)
    document = ended(catalogue, "cancelled", labelled=9, failed=0, pending=51)

    def violations(lines_left: list[bytes]) -> tuple[str, ...]:
        return check_cancelled(document, b"".join(lines_left), catalogue, result).violations

    assert violations(lines[:10]) == ()
    assert violations([lines[0], *lines[3:12]]) == ()
    assert violations(lines[:9])
    assert violations([lines[0], *lines[2:10], lines[1]])
    assert violations([*lines[:9], lines[8]])
    assert violations([*lines[:9], lines[9].replace(b"crime", b"sport")])


def test_a_wrong_reference_is_detected(catalogue: Catalogue) -> None:
    lines = lines_of(catalogue)
    for lines_left in (lines[:-1], [lines[0], lines[2], lines[1], *lines[3:]]):
        assert check_reference(catalogue, b"".join(lines_left))
    unlabelled = [line.replace(b'"crime","0.9"', b'"",""') for line in lines]
    assert check_reference(catalogue, b"".join(unlabelled))
