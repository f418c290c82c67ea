"""Client and command line of Spinelabel; installed as the package `spinelabel`.

from spinelabel import Client

with Client("http://127.0.0.1:8000") as client:
    job = client.upload(Path("books.csv"), key="books-of-may").job
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import ApiProblem, BadInput, ServerUnreachable, SpinelabelError

if TYPE_CHECKING:
    from .async_client import AsyncClient as AsyncClient
    from .client import Client as Client
    from .http.api_calls import Submitted as Submitted
    from .http.job_document import JobDocument as JobDocument
    from .http.label_document import LabelDocument as LabelDocument
    from .http.label_options import LabelOptions as LabelOptions

__all__ = [
    "ApiProblem",
    "AsyncClient",
    "BadInput",
    "Client",
    "JobDocument",
    "LabelDocument",
    "LabelOptions",
    "ServerUnreachable",
    "SpinelabelError",
    "Submitted",
]

_MODULES = {
    "AsyncClient": "async_client",
    "Client": "client",
    "JobDocument": "http.job_document",
    "LabelDocument": "http.label_document",
    "LabelOptions": "http.label_options",
    "Submitted": "http.api_calls",
}


def __getattr__(name: str) -> object:
    """Import on first use (PEP 562), because importing httpx is slow."""
    from importlib import import_module

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
