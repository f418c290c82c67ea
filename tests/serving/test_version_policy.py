"""The policy that decides which versions to load and unload."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import pytest

from serving.versions.policy import Step, find_versions, fingerprint_files, next_step


@pytest.mark.parametrize(
    ("present", "broken", "serving", "load", "unload"),
    [
        ({1, 2, 3}, set(), set(), 3, ()),
        ({1, 2, 3}, set(), {3}, 2, ()),
        ({1, 2, 3}, set(), {2, 3}, None, ()),
        ({1, 2, 3}, set(), {1, 2}, 3, ()),
        ({1, 2, 3}, set(), {1, 2, 3}, None, (1,)),
        ({1, 2, 3}, {3}, {1, 2}, None, ()),
        ({1, 2, 3}, {3}, {2}, 1, ()),
        ({1, 2, 3}, {1, 2, 3}, set(), None, ()),
        ({2}, set(), {1, 2}, None, (1,)),
        ({2, 3}, set(), {1, 2}, 3, (1,)),
        (set(), set(), {1, 2}, None, (1, 2)),
        (set(), set(), set(), None, ()),
    ],
    ids=[
        "the newest is loaded first",
        "then the one before",
        "then there is nothing to do",
        "a new one is loaded before an old one is unloaded",
        "the oldest is unloaded once the newer ones are served",
        "a broken one replaces none",
        "an older one replaces a broken one",
        "all broken",
        "one whose folder is gone is unloaded at once",
        "even while another is to be loaded",
        "all folders gone",
        "nothing at all",
    ],
)
def test_two_versions_are_kept(
    present: set[int], broken: set[int], serving: set[int], load: int | None, unload: tuple[int]
) -> None:
    step = next_step(present=present, broken=broken, serving=serving, keep=2)
    assert step == Step(load=load, unload=unload)


def test_only_folders_named_by_a_number_are_versions(tmp_path: Path) -> None:
    for name in ("1", "20", ".3.unfinished", "latest", "-4", "٥"):
        (tmp_path / name).mkdir()
    (tmp_path / "6").write_text("a file")
    assert find_versions(tmp_path) == {1: tmp_path / "1", 20: tmp_path / "20"}


def test_a_folder_that_is_moved_while_it_is_listed_loses_no_version(tmp_path: Path) -> None:
    folder, moved = tmp_path / "genre", tmp_path / "moved"
    for version in range(1, 40):
        (folder / str(version)).mkdir(parents=True)
    complete = find_versions(folder).keys()
    stop = threading.Event()

    def move_back_and_forth() -> None:
        while not stop.is_set():
            folder.rename(moved)
            moved.rename(folder)

    mover = threading.Thread(target=move_back_and_forth)
    mover.start()
    try:
        listings = 0
        while listings < 300:
            with suppress(FileNotFoundError):
                assert find_versions(folder).keys() == complete
                listings += 1
    finally:
        stop.set()
        mover.join()


def test_a_changed_file_changes_the_fingerprint(tmp_path: Path) -> None:
    variables = tmp_path / "variables"
    variables.mkdir()
    (variables / "data").write_bytes(b"half")
    before = fingerprint_files(tmp_path)
    assert fingerprint_files(tmp_path) == before
    (variables / "data").write_bytes(b"half and half")
    assert fingerprint_files(tmp_path) != before
