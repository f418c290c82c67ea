"""The wheel, installed alone into an empty environment, labels a catalogue."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stack import ROOT, SAMPLE, Stack

_TIMEOUT_S = 600.0
_ROWS = 20
_PROGRAM = """
import asyncio, sys
from pathlib import Path
from spinelabel import AsyncClient, Client

server, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
with Client(server) as client:
    job = client.upload(source, key="wheel-sync").job
    *_, job = client.follow(job.id)
    client.download(job.id, target.with_suffix(".sync.csv"))

async def main():
    async with AsyncClient(server) as client:
        job = (await client.upload(source, key="wheel-async")).job
        async for job in client.follow(job.id):
            pass
        await client.download(job.id, target.with_suffix(".async.csv"))
        assert job.id in [other.id for other in await client.jobs()]
        await client.label("A detective hunts a killer through the rain.")

asyncio.run(main())
"""


@dataclass
class WheelEnvironment:
    """A virtual environment with the wheel and its dependencies only."""

    folder: Path

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("SPINELABEL_", "PYTHON"))
        }
        return subprocess.run(
            [self.folder / "bin" / program, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
        )


def _build(folder: Path) -> Path:
    """Build the wheel from a copy, so that setuptools leaves nothing in the checkout."""
    source = folder / "source"
    shutil.copytree(ROOT / "cli", source / "cli", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", folder, source], check=True)
    (wheel,) = folder.glob("spinelabel-*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel_environment(tmp_path_factory: pytest.TempPathFactory) -> WheelEnvironment:
    """Skip if the dependencies cannot be downloaded; in CI, fail."""
    folder = tmp_path_factory.mktemp("wheel")
    wheel = _build(folder)
    venv.create(folder / "venv", with_pip=True)
    environment = WheelEnvironment(folder / "venv")
    result = environment.run(
        "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)
    )
    if result.returncode and "CI" not in os.environ:
        pytest.skip(f"the wheel's dependencies cannot be installed: {result.stderr[-300:]}")
    assert result.returncode == 0, result.stderr
    return environment


def test_the_wheel_contains_one_package_and_requires_three(
    wheel_environment: WheelEnvironment,
) -> None:
    probe = (
        "import importlib.metadata as m, json\n"
        "files = m.files('spinelabel')\n"
        "print(json.dumps([sorted({f.parts[0] for f in files if '.dist-info' not in f.parts[0]}),"
        " [str(f) for f in files], m.requires('spinelabel')]))"
    )
    top_level, files, requirements = json.loads(wheel_environment.run("python", "-c", probe).stdout)
    assert [name for name in top_level if not name.startswith("..")] == ["spinelabel"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {requirement.split(">")[0].split("<")[0] for requirement in requirements}
    assert len(requirements) == len(project["dependencies"])
    assert names == {"click", "rich", "httpx"}
    modules = {
        f"spinelabel/{path.relative_to(ROOT / 'cli')}" for path in (ROOT / "cli").rglob("*.py")
    }
    assert modules | {"spinelabel/py.typed"} <= set(files)


@pytest.mark.parametrize(
    "package", ["api", "jobs", "worker", "catalogue", "serving", "training", "cli"]
)
def test_no_package_of_the_server_can_be_imported(
    wheel_environment: WheelEnvironment, package: str
) -> None:
    result = wheel_environment.run("python", "-c", f"import {package}")
    assert "ModuleNotFoundError" in result.stderr


@pytest.mark.parametrize("arguments", [["up"], ["demo"], ["keys", "list"], ["label", str(SAMPLE)]])
def test_a_command_that_needs_the_checkout_is_refused_with_a_reason(
    wheel_environment: WheelEnvironment, arguments: list[str]
) -> None:
    result = wheel_environment.run("spinelabel", *arguments)
    assert result.returncode == 2
    assert "needs the source checkout" in result.stderr
    assert "spinelabel label books.csv --server URL" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_installed_programs_label_a_catalogue(
    wheel_environment: WheelEnvironment, stack: Stack, tmp_path: Path
) -> None:
    source, target = tmp_path / "books.csv", tmp_path / "out.csv"
    with SAMPLE.open(encoding="utf-8", newline="") as sample:
        rows = list(csv.reader(sample))[: _ROWS + 1]
    with source.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    server = str(stack.http.base_url)
    result = wheel_environment.run(
        "spinelabel", "label", str(source), "-o", str(target), "--server", server
    )
    assert (result.returncode, result.stdout) == (0, f"{target}\n"), result.stderr
    result = wheel_environment.run("python", "-c", _PROGRAM, server, str(source), str(target))
    assert result.returncode == 0, result.stderr
    results = [path.read_bytes() for path in sorted(tmp_path.glob("out*.csv"))]
    assert len(results) == 3
    assert len(set(results)) == 1
    assert results[0].count(b"\n") >= _ROWS
