"""Failures that processes do not notice: deleted or damaged files, and errors in logs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from cli.errors import StackFailed
from cli.local_stack.data.data_folder import DataFolder
from cli.local_stack.log_errors import LogErrors
from cli.local_stack.supervision.events import Action, StackEvent
from cli.local_stack.supervision.supervisor import StopRequest
from cli.local_stack.watch import Watch
from tests.cli.local_stack.data.append_only_files import overwrite_the_middle
from tests.waiting import eventually

DIED = StackEvent(action=Action.DIED, child="redis")


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    return folder


def write_append_only_file(folder: DataFolder) -> Path:
    path = folder.redis / "appendonly.aof"
    path.write_bytes(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n" * 100)
    return path


def delete_all(folder: DataFolder) -> None:
    shutil.rmtree(folder.path)


def delete_contents(folder: DataFolder) -> None:
    for path in folder.path.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def replace(folder: DataFolder) -> None:
    folder.path.rename(folder.path.with_name("moved"))
    folder.prepare()


@pytest.mark.parametrize("deletion", [delete_all, delete_contents, replace])
def test_the_stack_stops_when_its_folder_is_deleted_or_replaced(
    folder: DataFolder, deletion: Callable[[DataFolder], None]
) -> None:
    stop, watch = StopRequest(), Watch(folder, report=lambda _: None, every_s=0.01)
    with pytest.raises(StackFailed, match="was deleted or replaced while the stack was running"):  # noqa: SIM117
        with watch.over(stop):
            assert not stop.count
            deletion(folder)
            eventually(lambda: stop.count)


def test_the_stack_stops_when_only_the_append_only_file_is_deleted(folder: DataFolder) -> None:
    stop, watch = StopRequest(), Watch(folder, report=lambda _: None, every_s=0.01)
    with pytest.raises(StackFailed, match=r"appendonly\.aof was deleted"):  # noqa: SIM117
        with watch.over(stop):
            path = write_append_only_file(folder)
            eventually(lambda: watch.checks > 2)
            path.unlink()
            eventually(lambda: stop.count)


def test_the_reason_is_given_when_a_process_fails_first(folder: DataFolder) -> None:
    watch = Watch(folder, report=lambda _: None, every_s=3600)
    with pytest.raises(StackFailed, match="was deleted or replaced"), watch.over(StopRequest()):
        delete_all(folder)
        raise StackFailed("The stack cannot continue: no such file.")


def test_the_stack_stops_when_redis_died_of_a_damaged_append_only_file(
    folder: DataFolder,
) -> None:
    path = write_append_only_file(folder)
    stop, watch = StopRequest(), Watch(folder, report=lambda _: None, every_s=0.01)
    with suppress(StackFailed), watch.over(stop):
        watch.after(DIED)  # Redis was killed; its file is intact
        checks_before = watch.checks
        eventually(lambda: watch.checks > checks_before + 1)
        assert not stop.count
        path.write_bytes(overwrite_the_middle(path.read_bytes()))
        watch.after(DIED)
        eventually(lambda: stop.count)
    with pytest.raises(StackFailed, match=r"is damaged: .* restore a copy of the data folder"):  # noqa: SIM117
        with watch.over(stop):
            pass


def test_errors_in_the_model_servers_log_are_reported_once(folder: DataFolder) -> None:
    log = folder.logs / "serving.log"
    log.write_text("2026-01-01T00:00:00Z [error    ] earlier_run [serving] version=1\n")
    reports: list[StackEvent] = []
    watch = Watch(folder, report=reports.append, every_s=0.01)
    with watch.over(StopRequest()), log.open("a") as lines:
        lines.write("2026-01-01T00:00:00Z [info     ] version_loaded [serving] version=1\n")
        lines.write("2026-01-01T00:00:00Z [error    ] version_failed [serving] version=1\n")
        lines.flush()
        eventually(lambda: reports)
    assert [(r.child, r.detail) for r in reports] == [("serving", "version_failed version=1")]


def test_a_closed_terminal_does_not_stop_the_watch(folder: DataFolder) -> None:
    def closed_terminal(_: StackEvent) -> None:
        raise BrokenPipeError

    stop, watch = StopRequest(), Watch(folder, report=closed_terminal, every_s=0.01)
    with suppress(StackFailed), watch.over(stop):
        (folder.logs / "serving.log").write_text("now [error    ] failed [serving]\n")
        eventually(lambda: watch.checks > 2)
        delete_all(folder)
        eventually(lambda: stop.count)


def test_only_complete_lines_are_read_and_a_truncated_log_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    errors = LogErrors(path)
    assert errors.fresh() == []
    path.write_text("now [error    ] half_a")
    assert errors.fresh() == []
    path.write_text("now [error    ] half_a_line [serving.server] rest=1\n")
    assert errors.fresh() == ["half_a_line rest=1"]
    path.write_text("now [error    ] b [r]\nlater [error    ] b [r]\n")
    assert errors.fresh() == ["b"]
    assert errors.fresh() == []
