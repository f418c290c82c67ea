"""`spinelabel label`: from catalogue files to labelled files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ..client import Client
from ..commands.display import Display
from ..errors import BadInput, JobEnded, SpinelabelError
from ..http.connect import Server, server_for_command
from ..http.label_options import LabelOptions
from ..local_stack.settings import LocalStackSettings
from .interruption import interruption_message
from .run import BatchRun, Catalogue, with_titles
from .streams import Streams
from .targets import FilePair, check


@dataclass(frozen=True, kw_only=True)
class LabelCommand:
    """What to label, how, and where."""

    pairs: Sequence[FilePair]
    stack_settings: LocalStackSettings
    options: LabelOptions = field(default_factory=LabelOptions)
    server: str | None = None
    api_key: str | None = None
    max_jobs: int = 1
    again: bool = False


def label(request: LabelCommand, display: Display) -> list[Catalogue]:
    """Upload, follow and download. Returns the state of each catalogue, in order.

    A target is replaced when its catalogue is complete, or not at all. No stack is started if no
    catalogue can be used. Raises `KeyboardInterrupt` after printing which jobs continue, and the
    errors of starting a stack.
    """
    catalogues = with_titles(request.pairs)
    for catalogue in catalogues:
        try:
            check(catalogue.files)
        except BadInput as error:
            catalogue.error = error
    if all(catalogue.is_finished for catalogue in catalogues):
        return catalogues
    with (
        server_for_command(request.server, request.stack_settings, display) as server,
        Client(server.url, api_key=request.api_key, on_waiting=_Waiting(server, display)) as client,
        Streams() as streams,
    ):
        batch = BatchRun(
            client,
            catalogues,
            options=request.options,
            streams=streams,
            display=display,
            max_jobs=request.max_jobs,
            again=request.again,
        )
        try:
            batch.run()
        except KeyboardInterrupt:
            jobs = [c.job for c in batch.in_progress if c.job is not None]
            display.warn(interruption_message(jobs, server, request.stack_settings.data_dir))
            raise
        for catalogue in catalogues:
            if isinstance(catalogue.error, JobEnded):
                rest = _rest_of(catalogue, client, server, request)
                catalogue.error = JobEnded(f"{catalogue.error}{rest}")
    return catalogues


def _rest_of(catalogue: Catalogue, client: Client, server: Server, request: LabelCommand) -> str:
    """Return how to download the rows labelled so far; empty if there is no result."""
    assert catalogue.job is not None
    with suppress(SpinelabelError):
        if client.job(catalogue.job.id).has_result:
            first = (
                f"`spinelabel up --data-dir {request.stack_settings.data_dir}`, then "
                if server.temporary
                else ""
            )
            return f" What was finished is kept: {first}`spinelabel download {catalogue.job.id}`."
    return ""


class _Waiting:
    """Called before each retry. Warns once; raises if the temporary stack has failed."""

    def __init__(self, server: Server, display: Display) -> None:
        self._server = server
        self._display = display
        self._warned = False

    def __call__(self, error: Exception) -> None:
        self._server.check()
        if not self._warned:
            self._display.warn(f"The server does not respond ({error}); retrying.")
            self._warned = True
