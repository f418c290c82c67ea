"""The back-up in the operators' handbook, made and brought back by the very commands that stand there."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.compose.engine import OFFICIAL, OVERRIDE, ROOT, Project, compose_command, run
from tests.compose.service import Service
from tests.compose.stack import Stack, new_project
from tests.docs.pages import read_page
from tests.stack import SAMPLE

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]


def commands(word: str) -> str:
    """The handbook's only block that has the word."""
    page = read_page(ROOT / "docs" / "operators.md")
    (found,) = [block.text for block in page.blocks if word in block.text]
    return found


def follow(text: str, project: Project, folder: Path) -> None:
    """Run the commands in the folder, for this project and with the images that the tests have."""
    files = ["-f", "docker-compose.yml", *([] if OFFICIAL else ["-f", str(OVERRIDE)])]
    compose = shlex.join([*compose_command(), "-p", project.name, *files])
    ours = text.replace("PROJECT", project.name).replace("docker compose", "on_project")
    script = f'on_project() {{ (cd {shlex.quote(str(ROOT))} && {compose} "$@"); }}\n{ours}'
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=folder,
        env={
            **os.environ,
            "SPINELABEL_PUBLISH": f"127.0.0.1:{project.port}",
            **project.environment,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_was_backed_up_comes_back(images: str, tmp_path: Path) -> None:
    project = new_project(images)
    service = Service(f"http://127.0.0.1:{project.port}")
    stack = Stack(project, service)
    try:
        stack.up()
        job = service.submit(SAMPLE.read_bytes())
        result = service.completed(job, seconds=120)
        follow(commands("-czf"), project, tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {
            "redis.tgz",
            "storage.tgz",
            "models.tgz",
        }
        project.compose("down", "--volumes")
        assert project.name not in run("docker", "volume", "ls", "--quiet")
        follow(commands("-xzpf"), project, tmp_path)
        service.wait_ready()
        assert service.job(job)["state"] == "completed"
        assert service.result(job) == result
        again = service.submit(SAMPLE.read_bytes())
        assert service.completed(again, seconds=120) == result
    finally:
        service.close()
        project.remove()
