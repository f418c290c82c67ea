"""Uploads that are ZIP files: the table inside becomes the job's input; a workbook is kept for planning to convert."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from catalogue.compressed.xlsx_reader import xlsx_schema
from catalogue.compressed.zip_archive import ZipArchive
from catalogue.parsing.columns import ColumnNames
from catalogue.parsing.schema import CatalogueSchema, inspect_head, read_head
from jobs.files.storage import Storage, input_path, upload_path

Blocks = Iterator[bytes]


def store_archive(
    blocks: Blocks,
    storage: Storage,
    job_id: str,
    *,
    names: Callable[[], ColumnNames],
    touch_while_reading: Callable[[Blocks], Blocks],
    max_bytes: int,
) -> CatalogueSchema:
    """Store the file, and what it holds if that takes no time; the layout of what will be the job's input.

    Args:
        blocks: the ZIP file.
        names: what the caller calls the columns; asked once the file has been read.
        touch_while_reading: what blocks pass through, so that the upload does not count as lost meanwhile.
        max_bytes: as much as may be unpacked.

    Raises `CatalogueError`, and `OSError` of the storage.
    """
    with storage.publish(upload_path(job_id)) as target:
        for block in touch_while_reading(blocks):
            target.write(block)
    with storage.open(upload_path(job_id)) as source:
        archive = ZipArchive(source)
        if archive.is_workbook:
            return xlsx_schema(source, max_bytes=max_bytes, names=names())
        unpacked = archive.read(archive.only_member(), max_bytes=max_bytes)
        head, complete = read_head(unpacked)
        layout = inspect_head(head, complete=complete, names=names())
        with storage.publish(input_path(job_id)) as target:
            target.write(head)
            for block in touch_while_reading(unpacked):
                target.write(block)
    storage.delete(upload_path(job_id))
    return layout
