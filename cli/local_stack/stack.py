"""The local stack: its processes, and the preconditions of their start."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..client import Client
from ..errors import StackFailed
from . import ports
from .checkout import module_command
from .data import sockets
from .data.data_folder import DataFolder, StackState
from .data.redis_binary import RedisUnavailable
from .data.redis_server import RedisServer
from .settings import LocalStackSettings, find_model_root
from .supervision.events import Action, StackEvent
from .supervision.process import ChildSpec
from .supervision.supervisor import StopRequest, Supervisor
from .watch import Watch


class LocalStack:
    """A stack whose data folder and port are claimed. It can run once."""

    def __init__(self, url: str, supervisor: Supervisor, watch: Watch) -> None:
        self.url = url
        self._supervisor = supervisor
        self._watch = watch

    @property
    def ready(self) -> bool:
        """Whether it has ever been ready to accept jobs."""
        return self._supervisor.ready

    def run(self, stop: StopRequest) -> None:
        """Run until `stop` is requested; see `Supervisor.run`.

        Also raises `StackFailed` for problems of `Watch`.
        """
        with self._watch.over(stop):
            self._supervisor.run(stop)


@contextmanager
def claimed_local_stack(
    settings: LocalStackSettings,
    *,
    temporary: bool,
    report: Callable[[StackEvent], None],
    note: Callable[[str], None],
) -> Iterator[LocalStack | None]:
    """A stack that is ready to run; None if another one uses the data folder.

    Raises `BadInput` for a folder, port or model that cannot be used, `StackFailed` without Redis.
    """
    folder = DataFolder(settings.data_dir.resolve())
    folder.prepare()
    with folder.claimed(note) as lock:
        if lock is None:
            yield None
            return
        port = ports.usable_port(settings.host, settings.port)
        url = ports.url_of(settings.host, port)
        watch = Watch(folder, report)

        def on_event(event: StackEvent) -> None:
            if event.action is Action.STOPPING:  # before the API refuses connections
                folder.conceal()
            report(event)
            watch.after(event)

        with Client(url, patience_s=0) as api:
            supervisor = Supervisor(
                _children(folder, settings, port, api),
                log_folder=folder.logs,
                work_folder=folder.path,
                report=on_event,
                stack_probe=api.not_ready_reason,
                keep_open=[lock],
            )
            with folder.announced(StackState(url=url, pid=os.getpid(), temporary=temporary)):
                yield LocalStack(url, supervisor, watch)


def _children(
    folder: DataFolder, settings: LocalStackSettings, port: int, api: Client
) -> list[ChildSpec]:
    """Return the children in the order of their start; they stop in reverse order."""
    redis = RedisServer(folder.redis)
    model_socket = sockets.socket_path(folder.path, "model.sock")
    model_address = f"unix:{model_socket}"
    jobs = {"SPINELABEL_REDIS_URL": redis.url, "SPINELABEL_STORAGE_URL": str(folder.storage)}
    try:
        redis_command = redis.command()
    except RedisUnavailable as error:
        raise StackFailed(str(error)) from error
    return [
        ChildSpec(name="redis", argv=redis_command, probe=lambda: _probe_redis(redis)),
        _module_child(
            ["serving"],
            {
                "SPINELABEL_MODEL_ROOT": str(find_model_root(settings.model_root)),
                "SPINELABEL_SERVING_ADDRESS": model_address,
            },
            probe=lambda: None if sockets.accepts(model_socket) else "it does not listen yet",
            grace_s=2.0,  # the workers have stopped by then, and it has no state
        ),
        _module_child(["worker"], jobs | {"SPINELABEL_MODEL_TARGET": model_address}, grace_s=10.0),
        _module_child(["worker", "beat"], jobs),
        _module_child(
            ["api"],
            jobs
            | {
                "SPINELABEL_API_HOST": settings.host,
                "SPINELABEL_API_PORT": str(port),
                "SPINELABEL_API_SHUTDOWN_TIMEOUT_S": "2",  # within the grace
            },
            probe=lambda: None if api.alive() else "it does not answer yet",
        ),
    ]


def _probe_redis(redis: RedisServer) -> str | None:
    if not redis.answers():
        return "it does not answer yet"
    redis.compact()  # once per start, because ready children are not probed
    return None


# `log_errors` parses this format, and people read it.
_LOG_FORMAT = {"SPINELABEL_LOG_FORMAT": "console"}


def _module_child(
    words: list[str],
    env: dict[str, str],
    *,
    probe: Callable[[], str | None] | None = None,
    grace_s: float = 5.0,
) -> ChildSpec:
    """A child that runs one of the server's packages."""
    argv, needed = module_command(*words)
    return ChildSpec(
        name=words[-1],
        argv=argv,
        env=_LOG_FORMAT | env | needed,
        probe=probe,
        needs=("redis",),
        grace_s=grace_s,
    )
