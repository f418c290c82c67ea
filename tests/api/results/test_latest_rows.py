"""The latest labelled rows of an active job."""

from __future__ import annotations

from typing import Any

from api.results.row_pages import LatestRowsDocument
from catalogue.labelled.labels import Label
from catalogue.labelled.writer import encode_rows
from catalogue.parsing.rows import parse_records
from catalogue.parsing.schema import inspect_head
from jobs.files.chunk_output import delete_chunk_output, write_chunk_output
from jobs.job import Chunk, PinnedModel
from jobs.ports.record.step_leases import PLAN, Claim, label_step
from tests.api.conftest import ApiHarness

CATALOGUE = b"title,summary\n" + b"".join(b"Book %d,words\n\n" % n for n in range(1, 31))


def partly_labelled_job(harness: ApiHarness) -> tuple[str, Claim]:
    """A job of which rows 11 to 30 are labelled, and the claim under which they were."""
    job_id = harness.submit(CATALOGUE)
    schema = inspect_head(CATALOGUE, complete=True)
    claim = harness.store.leases.claim(job_id, PLAN, lease_s=60)
    assert claim is not None
    harness.store.chunks.begin_planning(claim, model=PinnedModel(3, "d3"))
    chunks = [
        Chunk(index=0, start=schema.data_start, end=100, first_row=1, rows=10),
        Chunk(index=1, start=100, end=200, first_row=11, rows=20),
    ]
    harness.store.chunks.add(claim, chunks, last=True, window=2)
    rows = parse_records(CATALOGUE[schema.data_start :], schema)[20:]
    label = Label(
        genre="crime",
        confidence=0.5,
        second_genre="travel",
        second_confidence=0.25,
        genre_set=("crime",),
        needs_review=False,
    )
    outcomes = [None if row.blank else label for row in rows]
    claim = harness.store.leases.claim(job_id, label_step(1), lease_s=60)
    assert claim is not None
    output = write_chunk_output(
        harness.storage, claim, 1, rows=encode_rows(schema, rows, outcomes), errors=b""
    )
    harness.store.chunks.commit(claim, 1, labelled=20, failed=0, manifest=output.manifest, window=2)
    return job_id, claim


def latest_rows(harness: ApiHarness, job_id: str) -> dict[str, Any]:
    response = harness.client().get(f"/v1/jobs/{job_id}/latest")
    assert response.status_code == 200, response.text
    LatestRowsDocument.model_validate(response.json, extra="forbid")
    return dict(response.json)


def test_the_rows_of_the_newest_chunk_are_listed_in_reverse_order(harness: ApiHarness) -> None:
    job_id, _ = partly_labelled_job(harness)
    document = latest_rows(harness, job_id)
    assert [row["row"] for row in document["rows"]] == list(range(30, 22, -1))
    assert document["rows"][0]["cells"] == ["Book 30", "words"]
    assert (document["rows"][0]["predicted_genre"], document["title_column"]) == ("crime", 0)


def test_there_are_no_rows_before_a_chunk_is_labelled(harness: ApiHarness) -> None:
    assert latest_rows(harness, harness.submit())["rows"] == []


def test_a_deleted_chunk_output_is_no_error(harness: ApiHarness) -> None:
    job_id, claim = partly_labelled_job(harness)
    delete_chunk_output(harness.storage, claim, 1)
    assert latest_rows(harness, job_id)["rows"] == []
