"""The step before the stack: one password for all, and a model that never replaces another."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from deploy.setup.password import PasswordError, provide_password
from deploy.setup.shipped_model import publish_shipped
from training.export.version_numbers import reserve


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """The operator's folder, and the volume."""
    provided, kept = tmp_path / "provided", tmp_path / "kept"
    provided.mkdir()
    kept.mkdir()
    return provided, kept


def password(folder: Path) -> str:
    return (folder / "redis_password").read_text("utf-8").strip()


def test_a_random_password_is_made_once_and_kept(folders: tuple[Path, Path]) -> None:
    provided, kept = folders
    assert "random" in provide_password(provided, kept, chosen_folder=None)
    first = password(kept)
    assert len(first) >= 32
    assert "earlier" in provide_password(provided, kept, chosen_folder=None)
    assert password(kept) == first


def test_two_stacks_have_different_passwords(tmp_path: Path) -> None:
    kept = [tmp_path / "one", tmp_path / "two"]
    for folder in kept:
        folder.mkdir()
        provide_password(tmp_path / "nothing", folder, chosen_folder=None)
    assert password(kept[0]) != password(kept[1])


def test_the_operators_password_replaces_a_made_one(folders: tuple[Path, Path]) -> None:
    provided, kept = folders
    provide_password(provided, kept, chosen_folder=None)
    (provided / "redis_password").write_text("chosen-by-the-operator\n", "utf-8")
    provide_password(provided, kept, chosen_folder=None)
    assert password(kept) == "chosen-by-the-operator"


def test_files_of_the_password_are_for_owner_and_group_only(folders: tuple[Path, Path]) -> None:
    provided, kept = folders
    provide_password(provided, kept, chosen_folder=None)
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept.iterdir()} == {0o440}


@pytest.mark.parametrize(
    "text", ["", "short\n", "two words of some length\n", "line-one-is-long\ntwo\n"]
)
def test_a_password_that_is_not_one_long_word_is_refused(
    folders: tuple[Path, Path], text: str
) -> None:
    provided, kept = folders
    (provided / "redis_password").write_text(text, "utf-8")
    with pytest.raises(PasswordError, match="at least 16 characters without spaces"):
        provide_password(provided, kept, chosen_folder=None)
    assert list(kept.iterdir()) == []


def test_a_chosen_folder_without_a_password_is_refused(folders: tuple[Path, Path]) -> None:
    provided, kept = folders
    with pytest.raises(PasswordError, match="SPINELABEL_SECRETS names /etc/spinelabel"):
        provide_password(provided, kept, chosen_folder="/etc/spinelabel")
    assert list(kept.iterdir()) == []


def model(root: Path, version: int, graph: bytes) -> Path:
    folder = root / "genre" / str(version)
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(graph)
    (folder / "variables" / "variables.index").write_bytes(b"weights of " + graph)
    return folder


def test_the_shipped_model_is_published_whole(tmp_path: Path) -> None:
    shipped, models = tmp_path / "shipped", tmp_path / "models"
    model(shipped, 1, b"shipped")
    assert list(publish_shipped(shipped, models)) == ["Model genre: version 1 published."]
    assert {path.name for path in (models / "genre").iterdir()} == {"1", ".next_version"}
    assert (models / "genre/1/variables/variables.index").read_bytes() == b"weights of shipped"


def test_publishing_again_changes_nothing(tmp_path: Path) -> None:
    shipped, models = tmp_path / "shipped", tmp_path / "models"
    model(shipped, 1, b"shipped")
    list(publish_shipped(shipped, models))
    assert list(publish_shipped(shipped, models)) == ["Model genre: version 1 is there."]


def test_a_model_trained_here_is_never_replaced(tmp_path: Path) -> None:
    shipped, models = tmp_path / "shipped", tmp_path / "models"
    model(shipped, 2, b"shipped")
    own = model(models, 2, b"trained here")
    (said,) = publish_shipped(shipped, models)
    assert "kept" in said
    assert (own / "saved_model.pb").read_bytes() == b"trained here"


def test_what_an_interrupted_publication_left_is_no_version(tmp_path: Path) -> None:
    shipped, models = tmp_path / "shipped", tmp_path / "models"
    model(shipped, 1, b"shipped")
    (models / "genre" / "1.0123.partial").mkdir(parents=True)
    list(publish_shipped(shipped, models))
    assert (models / "genre" / "1" / "saved_model.pb").exists()


def test_a_shipped_model_that_was_taken_back_stays_away_and_its_number_unused(
    tmp_path: Path,
) -> None:
    shipped, models = tmp_path / "shipped", tmp_path / "models"
    model(shipped, 4, b"shipped")
    list(publish_shipped(shipped, models))
    shutil.rmtree(models / "genre" / "4")
    (said,) = publish_shipped(shipped, models)
    assert "version 4 was not published" in said
    assert not (models / "genre" / "4").exists()
    assert reserve(models / "genre") == 5
    # The next release ships a number that was used here meanwhile.
    model(shipped, 5, b"shipped later")
    assert ["not published" in line for line in publish_shipped(shipped, models)] == [True, True]
