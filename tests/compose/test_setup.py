"""The setup step: one password for all services, and a model that replaces no other."""

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
    """The operator's folder and the volume."""
    provided, volume = tmp_path / "provided", tmp_path / "volume"
    provided.mkdir()
    volume.mkdir()
    return provided, volume


def password(folder: Path) -> str:
    return (folder / "redis_password").read_text("utf-8").strip()


def test_a_random_password_is_generated_once_and_kept(folders: tuple[Path, Path]) -> None:
    provided, volume = folders
    assert "random" in provide_password(provided, volume, chosen_folder=None)
    first = password(volume)
    assert len(first) >= 32
    assert "earlier" in provide_password(provided, volume, chosen_folder=None)
    assert password(volume) == first


def test_two_stacks_have_different_passwords(tmp_path: Path) -> None:
    volumes = [tmp_path / "one", tmp_path / "two"]
    for folder in volumes:
        folder.mkdir()
        provide_password(tmp_path / "nothing", folder, chosen_folder=None)
    assert password(volumes[0]) != password(volumes[1])


def test_the_operators_password_replaces_a_generated_one(folders: tuple[Path, Path]) -> None:
    provided, volume = folders
    provide_password(provided, volume, chosen_folder=None)
    (provided / "redis_password").write_text("chosen-by-the-operator\n", "utf-8")
    provide_password(provided, volume, chosen_folder=None)
    assert password(volume) == "chosen-by-the-operator"


def test_password_files_are_readable_by_owner_and_group_only(folders: tuple[Path, Path]) -> None:
    provided, volume = folders
    provide_password(provided, volume, chosen_folder=None)
    assert {stat.S_IMODE(path.stat().st_mode) for path in volume.iterdir()} == {0o440}


@pytest.mark.parametrize(
    "text", ["", "short\n", "two words of some length\n", "line-one-is-long\ntwo\n"]
)
def test_a_password_that_is_not_one_long_word_is_refused(
    folders: tuple[Path, Path], text: str
) -> None:
    provided, volume = folders
    (provided / "redis_password").write_text(text, "utf-8")
    with pytest.raises(PasswordError, match="at least 16 characters without spaces"):
        provide_password(provided, volume, chosen_folder=None)
    assert list(volume.iterdir()) == []


def test_a_chosen_folder_without_a_password_is_refused(folders: tuple[Path, Path]) -> None:
    provided, volume = folders
    with pytest.raises(PasswordError, match="SPINELABEL_SECRETS names /etc/spinelabel"):
        provide_password(provided, volume, chosen_folder="/etc/spinelabel")
    assert list(volume.iterdir()) == []


def model(root: Path, version: int, graph: bytes) -> Path:
    folder = root / "genre" / str(version)
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(graph)
    (folder / "variables" / "variables.index").write_bytes(b"weights of " + graph)
    return folder


def test_the_shipped_model_is_published_completely(tmp_path: Path) -> None:
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


def test_a_locally_trained_model_is_never_replaced(tmp_path: Path) -> None:
    shipped, models = tmp_path / "shipped", tmp_path / "models"
    model(shipped, 2, b"shipped")
    local = model(models, 2, b"trained here")
    (message,) = publish_shipped(shipped, models)
    assert "kept" in message
    assert (local / "saved_model.pb").read_bytes() == b"trained here"


def test_files_of_an_interrupted_publication_are_no_version(tmp_path: Path) -> None:
    shipped, models = tmp_path / "shipped", tmp_path / "models"
    model(shipped, 1, b"shipped")
    (models / "genre" / "1.0123.partial").mkdir(parents=True)
    list(publish_shipped(shipped, models))
    assert (models / "genre" / "1" / "saved_model.pb").exists()


def test_a_removed_shipped_model_is_not_published_again_and_its_number_not_reused(
    tmp_path: Path,
) -> None:
    shipped, models = tmp_path / "shipped", tmp_path / "models"
    model(shipped, 4, b"shipped")
    list(publish_shipped(shipped, models))
    shutil.rmtree(models / "genre" / "4")
    (message,) = publish_shipped(shipped, models)
    assert "version 4 was not published" in message
    assert not (models / "genre" / "4").exists()
    assert reserve(models / "genre") == 5
    # The next release ships a version number that was used locally in the meantime.
    model(shipped, 5, b"shipped later")
    assert ["not published" in line for line in publish_shipped(shipped, models)] == [True, True]
