"""A local stack for a benchmark, started with `spinelabel up` and stopped by its process id."""

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

# The kinds of processes of the stack, and the last words of their command lines.
PROCESS_KINDS: Mapping[str, tuple[str, ...]] = {
    "redis": (),
    "serving": ("-m", "serving"),
    "worker": ("-m", "worker"),
    "beat": ("-m", "worker", "beat"),
    "api": ("-m", "api"),
}


class StackExited(Exception):
    """The supervisor exited unexpectedly."""


@dataclass
class LocalStack:
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
        """A new HTTP client; use one per thread."""
        return httpx.Client(base_url=self.url, timeout=timeout_s)

    def redis(self) -> redis.Redis:
        """A new connection to the stack's Redis."""
        return redis.Redis.from_url(self.redis_url, decode_responses=True, socket_timeout=20)

    def main_process(self, kind: str) -> psutil.Process | None:
        """The process of one of `PROCESS_KINDS`; None while it is not running."""
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(self.process.pid).children():
                if _kind_of(child) == kind:
                    return child
        return None

    def pool(self) -> list[psutil.Process]:
        """The worker's pool processes, which execute the steps."""
        worker = self.main_process("worker")
        with contextlib.suppress(psutil.Error):
            return worker.children() if worker else []
        return []

    def check(self) -> None:
        """Raise `StackExited` if the supervisor has exited."""
        if self.process.poll() is not None:
            log = _log_of(self.data_dir).read_text(errors="replace")
            raise StackExited(f"the stack exited; the end of its log: {log[-2000:]}")

    def is_ready(self) -> bool:
        """Whether `/readyz` answers 200."""
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        return False

    def wait_until_ready(self) -> None:
        """Wait until it is ready. Raises `StackExited`."""
        deadline = time.monotonic() + _READY_S
        while not self.is_ready():
            self.check()
            if time.monotonic() > deadline:
                raise StackExited(f"the stack was not ready within {_READY_S:.0f} s")
            time.sleep(0.2)


def _kind_of(process: psutil.Process) -> str | None:
    with contextlib.suppress(psutil.Error):
        command = process.cmdline()
        for kind, words in PROCESS_KINDS.items():
            if words and tuple(command[-len(words) :]) == words:
                return kind
        if "redis" in " ".join(command[:1]) or "valkey" in " ".join(command[:1]):
            return "redis"
    return None


def _log_of(data_dir: Path) -> Path:
    """The log of the supervisor, next to the data folder, which belongs to the stack."""
    return data_dir.with_name(f"{data_dir.name}.up.log")


@contextlib.contextmanager
def running_stack(
    data_dir: Path, *, model_root: Path | None, settings: Mapping[str, str]
) -> Iterator[LocalStack]:
    """Start a stack on `data_dir`, wait until it is ready, and stop it at the end of the block.

    Args:
        data_dir: its data folder.
        model_root: NAME/VERSION folders; None for the shipped model.
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
    stack = LocalStack(process, data_dir, url="")
    try:
        deadline = time.monotonic() + _READY_S
        while (state := DataFolder(data_dir).running()) is None:
            stack.check()
            if time.monotonic() > deadline:
                raise StackExited(f"the stack did not start within {_READY_S:.0f} s")
            time.sleep(0.05)
        stack.url = state.url
        stack.wait_until_ready()
        yield stack
    finally:
        _stop(process)


def stop_on_sigterm() -> None:
    """Exit on SIGTERM through `sys.exit`, so that the stack is stopped too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.send_signal(signal.SIGCONT)  # a suspended process would not handle SIGTERM
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def build_tiny_model(root: Path) -> Path:
    """Write a SavedModel that takes almost no time to run below `root`; return `root`."""
    subprocess.run(
        [sys.executable, "-m", "tests.serving.tiny_model", str(root / "genre"), "1",
         "--cleaning-fingerprint", CLEANING_FINGERPRINT],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return root
