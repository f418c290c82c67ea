"""Version numbers are used once, even if versions are removed in between."""

import multiprocessing
import shutil
from pathlib import Path

import pytest

from training.errors import TrainingError
from training.export.version_numbers import NEXT_VERSION, next_version, reserve


def published(folder: Path, version: int) -> Path:
    """Create the folder of a published version."""
    path = folder / str(version)
    path.mkdir(parents=True)
    return path


def test_the_first_number_is_one_and_the_folder_is_created(tmp_path: Path) -> None:
    assert reserve(tmp_path / "new" / "genre") == 1


def test_the_number_of_a_removed_version_is_not_reused(tmp_path: Path) -> None:
    published(tmp_path, 4)
    for expected in (5, 6, 7):
        version = reserve(tmp_path)
        assert version == expected
        shutil.rmtree(published(tmp_path, version))
    shutil.rmtree(tmp_path / "4")
    assert reserve(tmp_path) == 8


def test_a_reserved_number_is_not_reserved_again(tmp_path: Path) -> None:
    assert [reserve(tmp_path) for _ in range(3)] == [1, 2, 3]


def test_versions_published_by_other_tools_count(tmp_path: Path) -> None:
    reserve(tmp_path)
    published(tmp_path, 1_796_000_000)
    (tmp_path / "12.partial").mkdir()
    assert reserve(tmp_path) == 1_796_000_001


@pytest.mark.parametrize("requested", [1, 4, 5])
def test_a_used_number_is_refused_and_the_next_one_named(tmp_path: Path, requested: int) -> None:
    published(tmp_path, 4)
    reserve(tmp_path)  # 5, and never published
    with pytest.raises(TrainingError, match="leave --version out to publish as 6"):
        reserve(tmp_path, requested)
    assert next_version(tmp_path) == 6


def test_a_requested_number_may_skip_some(tmp_path: Path) -> None:
    assert reserve(tmp_path, 10) == 10
    assert reserve(tmp_path) == 11


@pytest.mark.parametrize("content", ["", "five", "5.0"])
def test_an_invalid_record_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / NEXT_VERSION).write_text(content, encoding="utf-8")
    with pytest.raises(TrainingError, match="does not contain a number"):
        reserve(tmp_path)


def test_concurrent_publications_reserve_different_numbers(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        reserved = pool.map(reserve, [tmp_path] * 40)
    assert sorted(reserved) == list(range(1, 41))
