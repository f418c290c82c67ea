"""What Ctrl-C leaves behind, in words: the jobs go on where their server does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..commands.formatting import count, doing
from ..http.connect import Server
from ..http.job_document import JobDocument


def interrupted(jobs: Sequence[JobDocument], server: Server, data_dir: Path) -> str:
    """For the person who has interrupted `label`; `jobs` are those whose results have not been fetched."""
    if not jobs:
        return "Interrupted before the server had taken a file, or said so; the same command starts over or goes on."
    ids = " ".join(job.id for job in jobs)
    listed = [f"  {job.id}  {job.filename}: {doing(job)}" for job in jobs]
    many = len(jobs) > 1
    them, it_stays, goes = ("them", "They stay", "go") if many else ("it", "It stays", "goes")
    if server.temporary:
        there = f"--data-dir {data_dir}"
        first = [
            f"Interrupted. The stack of this command ends, and {count(len(jobs), 'job')} stand still:"
            if many
            else "Interrupted. The stack of this command ends, and its job stands still:",
            *listed,
            f"{it_stays} in {data_dir}, and {goes} on with the next stack that runs there.",
        ]
        ending = f"spinelabel up {there}, and beside it spinelabel cancel {ids} {there}"
    else:
        there = f"--server {server.url}"
        first = [
            f"Interrupted here; {count(len(jobs), 'job')} {goes} on at {server.url}:",
            *listed,
        ]
        ending = f"spinelabel cancel {ids} {there}"
    return "\n".join(
        [
            *first,
            f"  to wait for {them}:  the same command again, within a day of this one",
            f"  to end {them}:       {ending}",
        ]
    )
