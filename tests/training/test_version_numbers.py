"""No version number is used twice, whatever is removed between two publications."""

import multiprocessing
import shutil
from pathlib import Path

import pytest

from training.errors import TrainingError
from training.export.version_numbers import NEXT_VERSION, next_version, reserve


def published(folder: Path, version: int) -> Path:
    """Stands for a version that was published."""
    made = folder / str(version)
    made.mkdir(parents=True)
    return made


def test_the_first_number_is_one_and_the_folder_is_made(tmp_path: Path) -> None:
    assert reserve(tmp_path / "new" / "genre") == 1


def test_a_number_whose_version_was_taken_back_is_not_used_again(tmp_path: Path) -> None:
    published(tmp_path, 4)
    for expected in (5, 6, 7):
        version = reserve(tmp_path)
        assert version == expected
        shutil.rmtree(published(tmp_path, version))
    shutil.rmtree(tmp_path / "4")
    assert reserve(tmp_path) == 8


def test_a_number_that_was_reserved_and_never_published_is_passed_over(tmp_path: Path) -> None:
    assert [reserve(tmp_path) for _ in range(3)] == [1, 2, 3]


def test_versions_that_others_published_count(tmp_path: Path) -> None:
    reserve(tmp_path)
    published(tmp_path, 1_796_000_000)
    (tmp_path / "12.partial").mkdir()
    assert reserve(tmp_path) == 1_796_000_001


@pytest.mark.parametrize("wanted", [1, 4, 5])
def test_a_wanted_number_that_was_used_is_refused_and_the_next_one_named(
    tmp_path: Path, wanted: int
) -> None:
    published(tmp_path, 4)
    reserve(tmp_path)  # 5, and never published
    with pytest.raises(TrainingError, match="leave --version out to publish as 6"):
        reserve(tmp_path, wanted)
    assert next_version(tmp_path) == 6


def test_a_wanted_number_may_leave_some_out(tmp_path: Path) -> None:
    assert reserve(tmp_path, 10) == 10
    assert reserve(tmp_path) == 11


@pytest.mark.parametrize("content", ["", "five", "5.0"])
def test_a_record_that_is_no_number_is_said_and_not_guessed(tmp_path: Path, content: str) -> None:
    (tmp_path / NEXT_VERSION).write_text(content, encoding="utf-8")
    with pytest.raises(TrainingError, match="does not hold a number"):
        reserve(tmp_path)


def test_publications_at_the_same_time_take_different_numbers(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        taken = pool.map(reserve, [tmp_path] * 40)
    assert sorted(taken) == list(range(1, 41))
