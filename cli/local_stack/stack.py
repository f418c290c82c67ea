"""The laptop stack: which processes it consists of, and what has to be true before they start."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from cli.client import ApiClient
from cli.errors import BadInput, StackFailed
from cli.local_stack import ports, sockets
from cli.local_stack.data_folder import DataFolder, StackState
from cli.local_stack.events import Action, StackEvent
from cli.local_stack.module_command import module_command
from cli.local_stack.process import ChildSpec
from cli.local_stack.redis_server import RedisServer, RedisUnavailable
from cli.local_stack.supervisor import StopRequest, Supervisor
from cli.local_stack.watch import Watch


@dataclass(frozen=True, kw_only=True)
class LocalStackSettings:
    """What can be chosen about a laptop stack."""

    data_dir: Path
    host: str = ports.LOOPBACK
    port: int = 0  # 0: any free one
    model_root: Path | None = None  # None: the models that come with Spinelabel


class LocalStack:
    """A stack whose data folder and ports are claimed, and which may be run once."""

    def __init__(self, url: str, supervisor: Supervisor, watch: Watch) -> None:
        self.url = url
        self._supervisor = supervisor
        self._watch = watch

    @property
    def ready(self) -> bool:
        """Whether it has taken work once."""
        return self._supervisor.ready

    def run(self, stop: StopRequest) -> None:
        """Until `stop` is asked; see `Supervisor.run`. Raises `StackFailed` also for what `Watch` finds."""
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
    """A stack that only has to be run; None if another one lives on the data folder.

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

        def tell(happening: StackEvent) -> None:
            if happening.action is Action.STOPPING:  # before the API refuses connections
                folder.conceal()
            report(happening)
            watch.after(happening)

        with ApiClient(url, patience_s=0) as api:
            supervisor = Supervisor(
                _children(folder, settings, port, api),
                log_folder=folder.logs,
                work_folder=folder.path,
                report=tell,
                stack_probe=api.missing,
                keep_open=[lock],
            )
            with folder.announced(StackState(url=url, pid=os.getpid(), temporary=temporary)):
                yield LocalStack(url, supervisor, watch)


def _children(
    folder: DataFolder, settings: LocalStackSettings, port: int, api: ApiClient
) -> list[ChildSpec]:
    """In the order of their start; they end in the opposite one."""
    redis = RedisServer(folder.redis)
    model_socket = sockets.socket_path(folder.path, "model.sock")
    model_address = f"unix:{model_socket}"
    jobs = {"SPINELABEL_REDIS_URL": redis.url, "SPINELABEL_STORAGE_URL": str(folder.storage)}
    try:
        redis_command = redis.command()
    except RedisUnavailable as error:
        raise StackFailed(str(error)) from error
    return [
        ChildSpec(name="redis", argv=redis_command, probe=lambda: _look_at(redis)),
        _room(
            ["serving"],
            {
                "SPINELABEL_MODEL_ROOT": str(model_root(settings.model_root)),
                "SPINELABEL_SERVING_ADDRESS": model_address,
            },
            probe=lambda: None if sockets.accepts(model_socket) else "it does not listen yet",
            grace_s=2.0,  # the workers are gone by then; it has nothing to lose
        ),
        _room(["worker"], jobs | {"SPINELABEL_MODEL_TARGET": model_address}, grace_s=10.0),
        _room(["worker", "beat"], jobs),
        _room(
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


def _look_at(redis: RedisServer) -> str | None:
    if not redis.answers():
        return "it does not answer yet"
    redis.compact()  # once for each start: nobody looks at what is ready
    return None


def _room(
    words: list[str],
    env: dict[str, str],
    *,
    probe: Callable[[], str | None] | None = None,
    grace_s: float = 5.0,
) -> ChildSpec:
    """The child that runs a room of ours."""
    argv, needed = module_command(*words)
    return ChildSpec(
        name=words[-1],
        argv=argv,
        env=env | needed,
        probe=probe,
        needs=("redis",),
        grace_s=grace_s,
    )


def model_root(chosen: Path | None) -> Path:
    """A folder NAME/VERSION/saved_model.pb. Raises `BadInput` if there is no model in it."""
    if chosen is None:
        serving = find_spec("serving")  # found, not imported: that would load TensorFlow
        places = list(serving.submodule_search_locations or []) if serving else []
        chosen = Path(places[0], "models") if places else Path("serving/models")
    if not any(chosen.glob("*/[0-9]*/saved_model.pb")):
        raise BadInput(
            f"There is no model in {chosen} (looked for NAME/VERSION/saved_model.pb). "
            "Train one with `make train`, or name another folder with --model-root."
        )
    return chosen.resolve()
