"""Runs the blocks of a page in order, in a folder that looks like the project's."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.docs.pages import Block
from tests.stack import READY_TIMEOUT_S, ROOT, SAMPLE
from tests.waiting import eventually

_STOP_SECONDS = 120
# The servers that pages name; the test's own server replaces them.
_ADDRESSES = ("http://127.0.0.1:8000", "https://books.example.org")
# Files of the project that pages use.
_LINKED = (
    *("api", "benchmarks", "catalogue", "cli", "data", "deploy", "docs", "jobs", "requirements"),
    *("serving", "tools", "training", "worker"),
    *("docker-compose.yml", "Makefile", "pyproject.toml"),
)


@dataclass
class BlockRunner:
    """A shell in a folder with links to the project's files and a catalogue `books.csv`."""

    folder: Path
    server: str
    block_seconds: float = 300  # one block starts a stack of its own
    # Example text on pages → its replacement.
    replacements: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        for name in _LINKED:
            (self.folder / name).symlink_to(ROOT / name)
        self._link_environment()
        shutil.copy(SAMPLE, self.folder / "books.csv")
        home = self.folder / "home"
        home.mkdir()
        self.replacements |= dict.fromkeys(_ADDRESSES, self.server)
        self.environment = {
            **os.environ,
            "HOME": str(home),
            "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
            "SPINELABEL_SERVER": self.server,
            # This stack needs no key, but pages show where it goes.
            "SPINELABEL_API_KEY": "none",
        }

    def _link_environment(self) -> None:
        """Link the tests' environment, with stamps so that `make` does not install it again."""
        environment = self.folder / ".venv"
        environment.mkdir()
        for path in Path(sys.prefix).iterdir():
            if not path.name.endswith(".stamp"):
                (environment / path.name).symlink_to(path)
        for stamp in ("made", "laptop", "dev"):
            (environment / f".{stamp}.stamp").touch()

    def copy_linked(self, name: str) -> Path:
        """Replace the link `name` by a copy that may be changed, and return it."""
        path = self.folder / name
        path.unlink()
        shutil.copytree(ROOT / name, path)
        return path

    def run(self, block: Block) -> None:
        """Run one block. Later blocks see the variables it sets. Raises `AssertionError`."""
        if block.language == "sh":
            self._shell(block, block.text)
        elif block.language == "python":
            self._execute(block, [sys.executable, "-c", self._replace(block.text)])
        elif block.language == "console":
            self._session(block)
        elif block.language == "json":
            json.loads(block.text)

    def run_until_ready(self, block: Block) -> str:
        """Start a block that runs until it is stopped; stop it once the server is ready.

        Returns its output.
        """
        log = self.folder / "output.txt"
        with log.open("w") as output:
            process = subprocess.Popen(
                ["bash", "-c", block.text],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_ready(process, log)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)  # as a terminal does at Ctrl-C
            process.wait(timeout=_STOP_SECONDS)
        return log.read_text("utf-8")

    def _wait_ready(self, process: subprocess.Popen[bytes], log: Path) -> None:
        def is_ready() -> bool:
            assert process.poll() is None, log.read_text("utf-8")
            with suppress(httpx.TransportError):
                # The command polls the server as well, and may report readiness a little later.
                ready = httpx.get(f"{self.server}/readyz").is_success
                return ready and self.server in log.read_text("utf-8")
            return False

        eventually(is_ready, within_s=READY_TIMEOUT_S, what=lambda: log.read_text("utf-8"))

    def _shell(self, block: Block, text: str) -> str:
        saved = self.folder / ".environment"
        script = f"set -eu -o pipefail\nset -a\n{self._replace(text)}\nenv -0 > {saved.name}\n"
        output = self._execute(block, ["bash", "-c", script])
        pairs = (entry.partition("=") for entry in saved.read_text("utf-8").split("\0") if entry)
        self.environment = {name: value for name, _, value in pairs}
        return output

    def _session(self, block: Block) -> None:
        """Run the commands after `$` and compare their output; `…` matches anything."""
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            output = self._shell(block, command)
            pattern = re.escape(expected.strip()).replace("…", ".*")
            assert re.fullmatch(pattern, output.strip(), re.DOTALL), f"{block}: output:\n{output}"

    def _execute(self, block: Block, command: list[str]) -> str:
        completed = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=self.block_seconds,
            check=False,
        )
        assert completed.returncode == 0, (
            f"{block}: {block.text}\n{completed.stdout}\n{completed.stderr}"
        )
        return completed.stdout

    def _replace(self, text: str) -> str:
        for example, replacement in self.replacements.items():
            text = text.replace(example, replacement)
        return text
