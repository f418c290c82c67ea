"""The repository of an operator: a clone of a release, with commands run in a terminal."""

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
    """A clone whose folder's name is the name of the Compose project, as on any machine."""

    def __init__(self, folder: Path, name: str, settings: Mapping[str, str]) -> None:
        self.folder = folder / name
        self._upstream = folder / "upstream"
        shutil.copytree(ROOT, self._upstream, ignore=_NOT_COPIED)
        self._git("init", "--quiet", "--initial-branch", "main")
        self.release({})
        subprocess.run(["git", "clone", "--quiet", self._upstream, self.folder], check=True)
        files = [ROOT / "docker-compose.yml", *([] if OFFICIAL else [OVERRIDE])]
        environment = {
            "COMPOSE_FILE": ":".join(str(path.relative_to(ROOT)) for path in files),
            **settings,
        }
        lines = [f"{setting}={value}\n" for setting, value in environment.items()]
        (self.folder / ".env").write_text("".join(lines), "utf-8")

    def release(self, files: Mapping[str, str]) -> None:
        """Commit the next release with these files; `git pull` fetches it."""
        for name, content in files.items():
            (self._upstream / name).write_text(content, "utf-8")
        self._git("add", "--all")
        self._git(*_AUTHOR, "commit", "--quiet", "--message", "A release")

    def run_block(self, block: Block, replacing: Mapping[str, str] | None = None) -> str:
        """Run the block with its example values replaced; return its output."""
        text = block.text
        for example, actual in {"PROJECT": self.folder.name, **(replacing or {})}.items():
            text = text.replace(example, actual)
        return self.run(text)

    def run(self, text: str) -> str:
        """Run commands with a terminal as standard input; return their output."""
        terminal, operator = pty.openpty()
        try:
            result = subprocess.run(
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
        assert result.returncode == 0, f"{text}\n{result.stdout}\n{result.stderr}"
        return result.stdout

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", "-C", self._upstream, *arguments], check=True)


def _docker() -> str:
    """A shell function `docker compose`, if only docker-compose is installed."""
    compose = compose_command()
    if compose == ["docker", "compose"]:
        return ""
    return (
        'docker() { if [ "$1" = compose ]; then shift; '
        f'{" ".join(compose)} "$@"; else command docker "$@"; fi; }}'
    )


def _environment() -> dict[str, str]:
    """The environment without Spinelabel's settings, which would override those in `.env`."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("SPINELABEL_")
    }
    # Debian's Engine has no BuildKit client; elsewhere the environment may enable it.
    return {"DOCKER_BUILDKIT": "0", **environment}
