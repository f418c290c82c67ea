"""The text after Ctrl-C: which jobs continue, and how to wait for or cancel them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..commands.formatting import activity, count
from ..http.connect import Server
from ..http.job_document import JobDocument


def interruption_message(jobs: Sequence[JobDocument], server: Server, data_dir: Path) -> str:
    """Return the message after an interrupted `label`.

    `jobs` are those without a downloaded result.
    """
    if not jobs:
        return "Interrupted before the server accepted a file; run the same command again."
    ids = " ".join(job.id for job in jobs)
    listed = [f"  {job.id}  {job.filename}: {activity(job)}" for job in jobs]
    many = len(jobs) > 1
    them, it_stays, goes = (
        ("them", "They stay", "continue") if many else ("it", "It stays", "continues")
    )
    if server.temporary:
        there = f"--data-dir {data_dir}"
        first = [
            f"Interrupted. The stack of this command ends, and {count(len(jobs), 'job')} are "
            "paused:"
            if many
            else "Interrupted. The stack of this command ends, and its job is paused:",
            *listed,
            f"{it_stays} in {data_dir}, and {goes} with the next stack that runs there.",
        ]
        ending = f"spinelabel up {there}, and in another terminal spinelabel cancel {ids} {there}"
    else:
        there = f"--server {server.url}"
        first = [
            f"Interrupted here; {count(len(jobs), 'job')} {goes} at {server.url}:",
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
