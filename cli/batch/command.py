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
from .interruption import interrupted
from .run import BatchRun, Catalogue, titled
from .streams import Streams
from .targets import LabelTarget, check


@dataclass(frozen=True, kw_only=True)
class LabelCommand:
    """What to label, how, and where."""

    assignments: Sequence[LabelTarget]
    laptop: LocalStackSettings
    options: LabelOptions = field(default_factory=LabelOptions)
    server: str | None = None
    api_key: str | None = None
    at_once: int = 1
    again: bool = False


def label(request: LabelCommand, display: Display) -> list[Catalogue]:
    """Upload, follow and download; the state of each catalogue, in the order of the request.

    A target changes at the very end of its catalogue's way, or not at all. Nothing is started where
    no catalogue can be used. Raises `KeyboardInterrupt` after printing which jobs continue, and
    what the stack's start raises.
    """
    catalogues = titled(request.assignments)
    for catalogue in catalogues:
        try:
            check(catalogue.assignment)
        except BadInput as error:
            catalogue.error = error
    if all(catalogue.settled for catalogue in catalogues):
        return catalogues
    with (
        server_for_command(request.server, request.laptop, display) as server,
        Client(server.url, api_key=request.api_key, on_waiting=_Waiting(server, display)) as client,
        Streams() as streams,
    ):
        labelling = BatchRun(
            client,
            catalogues,
            options=request.options,
            streams=streams,
            display=display,
            at_once=request.at_once,
            again=request.again,
        )
        try:
            labelling.run()
        except KeyboardInterrupt:
            jobs = [c.job for c in labelling.under_way if c.job is not None]
            display.warn(interrupted(jobs, server, request.laptop.data_dir))
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
                f"`spinelabel up --data-dir {request.laptop.data_dir}`, then "
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
