"""Storage in a folder and in an object store (fsspec's memory file system)."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs.files.storage import Storage


@pytest.fixture(params=["folder", "objects"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return Storage(str(tmp_path))
    return Storage(f"memory://{uuid.uuid4().hex}")


def write(storage: Storage, path: str, content: bytes) -> None:
    with storage.publish(path) as stream:
        stream.write(content)


def test_a_published_file_can_be_read_whole_and_in_ranges(storage: Storage) -> None:
    write(storage, "jobs/a/input", b"0123456789")
    with storage.open("jobs/a/input") as stream:
        assert stream.read() == b"0123456789"
    assert storage.read_range("jobs/a/input", 3, 6) == b"345"
    assert storage.size("jobs/a/input") == 10


def test_a_file_is_invisible_until_it_is_complete(storage: Storage) -> None:
    with storage.publish("jobs/a/result.csv") as stream:
        stream.write(b"half")
        assert not storage.exists("jobs/a/result.csv")
    assert storage.exists("jobs/a/result.csv")


def test_a_failed_write_leaves_no_file(storage: Storage) -> None:
    with pytest.raises(RuntimeError), storage.publish("jobs/a/input") as stream:
        stream.write(b"half")
        raise RuntimeError("the client went away")
    assert storage.names("jobs/a") == []


def test_a_failed_rewrite_leaves_the_old_file(storage: Storage) -> None:
    write(storage, "f", b"old")
    with pytest.raises(RuntimeError), storage.publish("f") as stream:
        stream.write(b"new")
        raise RuntimeError
    assert storage.read_range("f", 0, 3) == b"old"


def test_publishing_again_replaces_the_file(storage: Storage) -> None:
    write(storage, "f", b"one")
    write(storage, "f", b"two!")
    assert storage.read_range("f", 0, 9) == b"two!"


def test_a_folder_is_deleted_with_its_content(storage: Storage) -> None:
    write(storage, "jobs/a/parts/00000", b"x")
    write(storage, "jobs/a/parts/00001", b"y")
    assert storage.names("jobs/a") == ["parts/00000", "parts/00001"]
    storage.delete("jobs/a")
    storage.delete("jobs/a")
    assert storage.names("jobs/a") == []


def test_a_file_is_published_only_after_confirmation(storage: Storage) -> None:
    existed = []

    def refuse() -> None:
        existed.append(storage.exists("jobs/a/result.csv"))
        raise RuntimeError("the lease is lost")

    with (
        pytest.raises(RuntimeError),
        storage.publish("jobs/a/result.csv", confirm=refuse) as stream,
    ):
        stream.write(b"late")
        assert not existed
    assert existed == [False]
    assert storage.names("jobs/a") == []


@pytest.mark.parametrize("deleters", [2, 4])
def test_a_folder_can_be_deleted_concurrently(storage: Storage, deleters: int) -> None:
    for number in range(20):
        for name in range(20):
            write(storage, f"jobs/{number}/parts/{name:05d}", b"x")
        barrier = threading.Barrier(deleters)

        def delete(path: str, barrier: threading.Barrier = barrier) -> None:
            barrier.wait(60)
            storage.delete(path)

        with ThreadPoolExecutor(deleters) as pool:
            for done in [pool.submit(delete, f"jobs/{number}") for _ in range(deleters)]:
                done.result()
        assert not storage.exists(f"jobs/{number}")


def test_reading_a_missing_file_raises(storage: Storage) -> None:
    with pytest.raises(FileNotFoundError):
        storage.read_range("jobs/a/input", 0, 1)


def test_check_leaves_no_files(storage: Storage) -> None:
    storage.check()
    assert storage.names("checks") == []


def test_check_raises_if_the_storage_is_not_writable(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("not a folder")
    with pytest.raises(OSError):
        Storage(str(occupied)).check()
