"""The repository as an operator has it: cloned from where the next release comes from, and followed from a terminal."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.compose.engine import OFFICIAL, OVERRIDE, ROOT, compose_command
from tests.docs.pages import Block

_NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "var", "runs", ".*_cache", "__pycache__")
_AUTHOR = ("-c", "user.name=Release", "-c", "user.email=release@example.org")
_BLOCK_SECONDS = 600


class Checkout:
    """A folder whose name Compose takes for the project's, as on any operator's machine."""

    def __init__(self, folder: Path, name: str, settings: Mapping[str, str]) -> None:
        self.folder = folder / name
        self._upstream = folder / "upstream"
        shutil.copytree(ROOT, self._upstream, ignore=_NOT_COPIED)
        self._git("init", "--quiet", "--initial-branch", "main")
        self.release({})
        subprocess.run(["git", "clone", "--quiet", self._upstream, self.folder], check=True)
        files = [ROOT / "docker-compose.yml", *([] if OFFICIAL else [OVERRIDE])]
        chosen = {
            "COMPOSE_FILE": ":".join(str(path.relative_to(ROOT)) for path in files),
            **settings,
        }
        lines = [f"{setting}={value}\n" for setting, value in chosen.items()]
        (self.folder / ".env").write_text("".join(lines), "utf-8")

    def release(self, files: Mapping[str, str]) -> None:
        """The next release, with these files: what `git pull` brings."""
        for name, content in files.items():
            (self._upstream / name).write_text(content, "utf-8")
        self._git("add", "--all")
        self._git(*_AUTHOR, "commit", "--quiet", "--message", "A release")

    def follow(self, block: Block, replacing: Mapping[str, str] | None = None) -> str:
        """Run the block as it stands, but for examples such as a key's id. What it says."""
        text = block.text
        for example, actual in {"PROJECT": self.folder.name, **(replacing or {})}.items():
            text = text.replace(example, actual)
        return self.run(text)

    def run(self, text: str) -> str:
        """Run commands with a terminal for their input. What they print."""
        terminal, operator = pty.openpty()
        try:
            done = subprocess.run(
                ["bash", "-eu", "-o", "pipefail", "-c", f"{_docker()}\n{text}"],
                cwd=self.folder,
                env=_environment(),
                stdin=operator,
                capture_output=True,
                text=True,
                timeout=_BLOCK_SECONDS,
                check=False,
            )
        finally:
            os.close(terminal)
            os.close(operator)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _git(self, *words: str) -> None:
        subprocess.run(["git", "-C", self._upstream, *words], check=True)


def _docker() -> str:
    """For the shell: `docker compose` where Compose is only there as docker-compose."""
    compose = compose_command()
    if compose == ["docker", "compose"]:
        return ""
    return (
        'docker() { if [ "$1" = compose ]; then shift; '
        f'{" ".join(compose)} "$@"; else command docker "$@"; fi; }}'
    )


def _environment() -> dict[str, str]:
    """Without settings of whoever runs the tests, which would come before those in `.env`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SPINELABEL_")}
    # Debian's Engine has no BuildKit client; where there is one, it is used.
    return {"DOCKER_BUILDKIT": "0", **kept}
