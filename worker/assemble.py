"""Puts the parts together, publishes result and errors, and ends the job."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable

from catalogue import Layout, encode_errors_header, encode_header
from jobs.errors import LeaseLost
from jobs.storage import errors_path, part_errors_path, part_path, parts_folder, result_path
from jobs.store import ASSEMBLE
from worker.pulse import Pulse
from worker.services import Services

log = logging.getLogger(__name__)

_COPY_BYTES = 1 << 20


def assemble_job(services: Services, job_id: str) -> None:
    """Publish what was labelled, all or part of it; nothing if that is done or held."""
    store, settings = services.store, services.settings
    claim = store.claim(job_id, ASSEMBLE, lease_s=settings.lease_s)
    if claim is None:
        return
    try:
        with Pulse(store, claim, lease_s=settings.lease_s) as pulse:
            layout = Layout.from_dict(store.get(job_id).layout)
            committed = store.committed_chunks(job_id)
            # In the order of the input: a chunk that was halved has its second half at the end of the numbers.
            planned = store.planned_chunks(job_id)
            indices = [chunk.index for chunk in planned if chunk.index in committed]
            parts = [part_path(job_id, i) for i in indices]
            _join(services, result_path(job_id), encode_header(layout), parts, pulse)
            listed = [part_errors_path(job_id, i) for i in indices]
            present = [path for path in listed if services.storage.exists(path)]
            _join(services, errors_path(job_id), encode_errors_header(), present, pulse)
            job = store.finish(claim)
    except LeaseLost:
        log.info("%s: assembly stopped, it is no longer wanted here", job_id)
        return
    except OSError as error:
        store.release(claim)
        log.warning("%s: assembly waits: %s", job_id, error)
        return
    services.storage.delete(parts_folder(job_id))
    counts = job.row_counts
    log.info(
        "%s: %s, %d rows: %d labelled, %d failed, %d pending",
        job_id, job.state, counts.total, counts.labelled, counts.failed, counts.pending,
    )  # fmt: skip


def _join(
    services: Services, target: str, header: bytes, parts: Iterable[str], pulse: Pulse
) -> None:
    with services.storage.publish(target) as output:
        output.write(header)
        for path in parts:
            pulse.check()
            with services.storage.open(path) as part:
                shutil.copyfileobj(part, output, _COPY_BYTES)
