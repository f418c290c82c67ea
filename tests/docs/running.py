"""Runs the blocks of a page one after the other, as a reader would, in a folder of the page's own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.pages import Block
from tests.stack import ROOT, SAMPLE

_BLOCK_SECONDS = 60
# Where readers have their server, tests have theirs.
_ADDRESSES = ("http://127.0.0.1:8000", "https://books.example.org")
# What a reader has at hand in the project's folder.
_AT_HAND = ("data", "docs", "deploy", "serving", "docker-compose.yml", "Makefile")


@dataclass
class Reader:
    """Somebody with a shell in a folder that looks like the project's, and a catalogue `books.csv`."""

    folder: Path
    server: str
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        for name in _AT_HAND:
            (self.folder / name).symlink_to(ROOT / name)
        (self.folder / ".venv").symlink_to(sys.prefix)
        shutil.copy(SAMPLE, self.folder / "books.csv")
        self.environment = {
            **os.environ,
            "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
            "SPINELABEL_SERVER": self.server,
            # Nobody is asked for a key on this machine, but pages show where it goes.
            "SPINELABEL_API_KEY": "none",
        }

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
            timeout=_BLOCK_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{block}: {block.text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _here(self, text: str) -> str:
        for address in _ADDRESSES:
            text = text.replace(address, self.server)
        return text
