"""Runs the blocks of a page one after the other, as a reader would, in a folder of the page's own."""

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
from tests.stack import READY_SECONDS, ROOT, SAMPLE
from tests.waiting import eventually

_STOP_SECONDS = 120
# Where readers have their server, tests have theirs.
_ADDRESSES = ("http://127.0.0.1:8000", "https://books.example.org")
# What a reader has at hand in the project's folder.
_AT_HAND = (
    *("data", "docs", "deploy", "requirements", "serving", "training"),
    *("docker-compose.yml", "Makefile", "pyproject.toml"),
)


@dataclass
class Reader:
    """Somebody with a shell in a folder that looks like the project's, and a catalogue `books.csv`."""

    folder: Path
    server: str
    block_seconds: float = 300  # one block starts a stack of its own
    # What stands on pages as an example → what it is here.
    actual: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        for name in _AT_HAND:
            (self.folder / name).symlink_to(ROOT / name)
        self._link_environment()
        shutil.copy(SAMPLE, self.folder / "books.csv")
        home = self.folder / "home"
        home.mkdir()
        self.actual |= dict.fromkeys(_ADDRESSES, self.server)
        self.environment = {
            **os.environ,
            "HOME": str(home),
            "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
            "SPINELABEL_SERVER": self.server,
            # Nobody is asked for a key on this machine, but pages show where it goes.
            "SPINELABEL_API_KEY": "none",
        }

    def _link_environment(self) -> None:
        """The tests' packages; what `make` would install first is there, whoever made the environment."""
        own = self.folder / ".venv"
        own.mkdir()
        for path in Path(sys.prefix).iterdir():
            if not path.name.endswith(".stamp"):
                (own / path.name).symlink_to(path)
        for stamp in ("made", "laptop", "dev"):
            (own / f".{stamp}.stamp").touch()

    def own(self, name: str) -> Path:
        """Make what the folder only has a link to a copy, to be changed."""
        path = self.folder / name
        path.unlink()
        shutil.copytree(ROOT / name, path)
        return path

    def run(self, block: Block) -> None:
        """Run one block; what a shell exports is there in the next one. Raises `AssertionError`."""
        if block.language == "sh":
            self._shell(block, block.text)
        elif block.language == "python":
            self._done(block, [sys.executable, "-c", self._here(block.text)])
        elif block.language == "console":
            self._session(block)
        elif block.language == "json":
            json.loads(block.text)

    def run_until_ready(self, block: Block) -> str:
        """Start what runs until it is stopped, and stop it once the server takes work and it has said so. What it said."""
        said = self.folder / "said.txt"
        with said.open("w") as output:
            process = subprocess.Popen(
                ["bash", "-c", block.text],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_ready(process, said)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)  # as a terminal does at Ctrl-C
            process.wait(timeout=_STOP_SECONDS)
        return said.read_text("utf-8")

    def _wait_ready(self, process: subprocess.Popen[bytes], said: Path) -> None:
        def is_ready() -> bool:
            assert process.poll() is None, said.read_text("utf-8")
            with suppress(httpx.TransportError):
                # The stack asks the server as well, and may report a little later that it is ready.
                ready = httpx.get(f"{self.server}/readyz").is_success
                return ready and self.server in said.read_text("utf-8")
            return False

        eventually(is_ready, within_s=READY_SECONDS, what=lambda: said.read_text("utf-8"))

    def _shell(self, block: Block, text: str) -> str:
        kept = self.folder / ".environment"
        script = f"set -eu -o pipefail\nset -a\n{self._here(text)}\nenv -0 > {kept.name}\n"
        said = self._done(block, ["bash", "-c", script])
        pairs = (entry.partition("=") for entry in kept.read_text("utf-8").split("\0") if entry)
        self.environment = {name: value for name, _, value in pairs}
        return said

    def _session(self, block: Block) -> None:
        """Commands after `$`, each with what it says; `…` stands for anything."""
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            said = self._shell(block, command)
            pattern = re.escape(expected.strip()).replace("…", ".*")
            assert re.fullmatch(pattern, said.strip(), re.DOTALL), f"{block}: it says:\n{said}"

    def _done(self, block: Block, command: list[str]) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=self.block_seconds,
            check=False,
        )
        assert done.returncode == 0, f"{block}: {block.text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _here(self, text: str) -> str:
        for example, actual in self.actual.items():
            text = text.replace(example, actual)
        return text
