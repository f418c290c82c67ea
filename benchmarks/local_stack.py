"""A laptop stack of its own for a harness: started as a user starts it, ended by its process id."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import redis

from catalogue.text.cleaning import CLEANING_FINGERPRINT
from cli.local_stack.data.data_folder import DataFolder
from cli.local_stack.data.redis_server import socket_path

ROOT = Path(__file__).parents[1]
_READY_S = 240.0
_STOP_S = 120.0

# What each process of the stack is called here, and how its command line ends.
KINDS: Mapping[str, tuple[str, ...]] = {
    "redis": (),
    "serving": ("-m", "serving"),
    "worker": ("-m", "worker"),
    "beat": ("-m", "worker", "beat"),
    "api": ("-m", "api"),
}


class StackDied(Exception):
    """The supervisor ended although nobody asked it to."""


@dataclass
class Laptop:
    """A running stack: its processes, its folder, its Redis and its address."""

    process: subprocess.Popen[bytes]
    data_dir: Path
    url: str

    @property
    def storage(self) -> Path:
        """The folder that holds `jobs/`."""
        return self.data_dir / "storage"

    @property
    def redis_url(self) -> str:
        """The stack's private Redis."""
        return f"unix://{socket_path((self.data_dir / 'redis').resolve())}"

    def client(self, timeout_s: float = 30.0) -> httpx.Client:
        """A fresh HTTP client; one for each thread."""
        return httpx.Client(base_url=self.url, timeout=timeout_s)

    def redis(self) -> redis.Redis:
        """A fresh connection to the stack's Redis."""
        return redis.Redis.from_url(self.redis_url, decode_responses=True, socket_timeout=20)

    def main_process(self, kind: str) -> psutil.Process | None:
        """The process of one of `KINDS` that the supervisor started; None while there is none."""
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(self.process.pid).children():
                if _kind_of(child) == kind:
                    return child
        return None

    def pool(self) -> list[psutil.Process]:
        """The worker's pool processes: those that carry out the steps."""
        worker = self.main_process("worker")
        with contextlib.suppress(psutil.Error):
            return worker.children() if worker else []
        return []

    def check(self) -> None:
        """Raises `StackDied` when the supervisor has ended."""
        if self.process.poll() is not None:
            log = _log_of(self.data_dir).read_text(errors="replace")
            raise StackDied(f"the stack ended by itself: {log[-2000:]}")

    def is_ready(self) -> bool:
        """Whether it takes work now."""
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        return False

    def wait_until_ready(self) -> None:
        """Until it takes work. Raises `StackDied`."""
        deadline = time.monotonic() + _READY_S
        while not self.is_ready():
            self.check()
            if time.monotonic() > deadline:
                raise StackDied(f"the stack was not ready within {_READY_S:.0f} s")
            time.sleep(0.2)


def _kind_of(process: psutil.Process) -> str | None:
    with contextlib.suppress(psutil.Error):
        command = process.cmdline()
        for kind, words in KINDS.items():
            if words and tuple(command[-len(words) :]) == words:
                return kind
        if "redis" in " ".join(command[:1]) or "valkey" in " ".join(command[:1]):
            return "redis"
    return None


def _log_of(data_dir: Path) -> Path:
    """What the stack says in its terminal: beside the data folder, which is the stack's alone."""
    return data_dir.with_name(f"{data_dir.name}.up.log")


@contextlib.contextmanager
def laptop(
    data_dir: Path, *, model_root: Path | None, settings: Mapping[str, str]
) -> Iterator[Laptop]:
    """A ready stack on `data_dir`; ended on the way out, whatever its processes are doing by then.

    Args:
        model_root: NAME/VERSION folders; None for the model that comes with Spinelabel.
        settings: `SPINELABEL_*` for every process of the stack.
    """
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "cli", "up", "--data-dir", str(data_dir), "--port", "0"]
    if model_root is not None:
        command += ["--model-root", str(model_root)]
    with _log_of(data_dir).open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | settings, stdout=log, stderr=subprocess.STDOUT
        )
    stack = Laptop(process, data_dir, url="")
    try:
        deadline = time.monotonic() + _READY_S
        while (state := DataFolder(data_dir).running()) is None:
            stack.check()
            if time.monotonic() > deadline:
                raise StackDied("the stack did not announce itself")
            time.sleep(0.05)
        stack.url = state.url
        stack.wait_until_ready()
        yield stack
    finally:
        _end(process)


def stop_on_sigterm() -> None:
    """Make SIGTERM end this program in good order, so that its stack ends with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.send_signal(signal.SIGCONT)  # a stopped process would not hear SIGTERM
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def build_tiny_model(root: Path) -> Path:
    """A real SavedModel that costs next to nothing to run, below `root`; returns `root`."""
    subprocess.run(
        [sys.executable, "-m", "tests.serving.tiny_model", str(root / "genre"), "1",
         "--cleaning-fingerprint", CLEANING_FINGERPRINT],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return root
