"""Each invariant check of the chaos run notices what it is there for: none can pass by looking at nothing."""

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
    """What the stack would answer, one line per row of the catalogue."""
    return b"".join(lines_of(catalogue))


def lines_of(catalogue: Catalogue) -> list[bytes]:
    lines = [",".join(("sku", "title", "summary", *LABEL_COLUMNS)).encode() + b"\n"]
    for row in catalogue.rows:
        labels = ("crime", "0.9", "horror", "0.1", "crime", "false", "")
        if not row[2]:
            labels = ("", "", "", "", "", "true", "EMPTY_SUMMARY")
        cells = ['"' + cell.replace('"', '""') + '"' for cell in (*row, *labels)]
        lines.append(",".join(cells).encode() + b"\n")
    return lines


def ended(catalogue: Catalogue, state: str = "completed", **counts: int) -> Mapping[str, Any]:
    failed, total = failed_rows(catalogue), len(catalogue.rows)
    row_counts = {"total": total, "labelled": total - failed, "failed": failed, "pending": 0}
    return {"state": state, "error": None, "row_counts": row_counts | counts}


def test_catalogues_hold_what_makes_a_difference() -> None:
    made = make_catalogues(seed=1)
    assert [c.content for c in made] == [c.content for c in make_catalogues(seed=1)]
    assert made[0].content != make_catalogues(seed=2)[0].content
    for catalogue in made:
        assert [tuple(row) for row in read_rows(catalogue.content)[1:]] == list(catalogue.rows)
        assert 0 < failed_rows(catalogue) < len(catalogue.rows)
        assert any("\n" in row[2] and '"' in row[2] for row in catalogue.rows)
        assert len({row[0] for row in catalogue.rows}) == len(catalogue.rows)


def test_an_undisturbed_job_passes(catalogue: Catalogue, result: bytes) -> None:
    assert check_reference(catalogue, result) == []
    assert check_ended(ended(catalogue), result, catalogue, result).violations == ()


def test_a_lost_a_repeated_a_moved_and_an_altered_row_are_noticed(
    catalogue: Catalogue, result: bytes
) -> None:
    lines = lines_of(catalogue)
    spoilt = {
        "lost": lines[:5] + lines[6:],
        "repeated": [*lines[:5], lines[4], *lines[5:]],
        "moved": [*lines[:5], lines[6], lines[5], *lines[7:]],
        "altered": [*lines[:5], lines[5].replace(b"crime", b"sport"), *lines[6:]],
        "blank line": [*lines[:5], b"\n", *lines[5:]],
        "other line end": [*lines[:-1], lines[-1].replace(b"\n", b"\r\n")],
        "nothing": [],
        "header only": lines[:1],
    }
    for name, kept in spoilt.items():
        verdict = check_ended(ended(catalogue), b"".join(kept), catalogue, result)
        assert verdict.violations, name
    lost = check_ended(ended(catalogue), b"".join(spoilt["lost"]), catalogue, result)
    assert (lost.lost_rows, lost.wrong_rows) == (1, 0)
    assert check_ended(ended(catalogue), b"", catalogue, result).lost_rows == 60
    for name in ("repeated", "moved", "altered"):
        verdict = check_ended(ended(catalogue), b"".join(spoilt[name]), catalogue, result)
        assert verdict.lost_rows == 0
        assert verdict.wrong_rows > 0, name


def test_a_job_that_failed_or_does_not_count_right_is_noticed(
    catalogue: Catalogue, result: bytes
) -> None:
    for document in (
        ended(catalogue, "failed"),
        ended(catalogue, labelled=1),
        ended(catalogue, total=59),
        ended(catalogue, pending=1),
    ):
        assert check_ended(document, result, catalogue, result).violations


def test_counts_that_do_not_add_up_are_noticed(catalogue: Catalogue) -> None:
    assert check_counts(ended(catalogue)) == []
    assert check_counts(ended(catalogue, pending=-1, total=59))
    assert check_counts(ended(catalogue, labelled=0))


def test_a_partial_result_has_to_be_right_in_what_it_holds(
    catalogue: Catalogue, result: bytes
) -> None:
    lines = lines_of(catalogue)
    document = ended(catalogue, "cancelled", labelled=9, failed=0, pending=51)

    def violations(kept: list[bytes]) -> tuple[str, ...]:
        return check_cancelled(document, b"".join(kept), catalogue, result).violations

    assert violations(lines[:10]) == ()
    assert violations([lines[0], *lines[3:12]]) == ()
    assert violations(lines[:9])
    assert violations([lines[0], *lines[2:10], lines[1]])
    assert violations([*lines[:9], lines[8]])
    assert violations([*lines[:9], lines[9].replace(b"crime", b"sport")])


def test_a_wrong_reference_is_noticed(catalogue: Catalogue) -> None:
    lines = lines_of(catalogue)
    for kept in (lines[:-1], [lines[0], lines[2], lines[1], *lines[3:]]):
        assert check_reference(catalogue, b"".join(kept))
    unlabelled = [line.replace(b'"crime","0.9"', b'"",""') for line in lines]
    assert check_reference(catalogue, b"".join(unlabelled))
