"""Uploads that are ZIP files: an archive is unpacked, a workbook is kept for the planning step to convert."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from catalogue.compressed.xlsx_reader import xlsx_schema
from catalogue.compressed.zip_archive import ZipArchive
from catalogue.parsing.columns import ColumnNames
from catalogue.parsing.schema import CatalogueSchema, inspect_head, read_head
from jobs.files.storage import Storage, input_path, upload_path


def unpack_upload(
    storage: Storage,
    job_id: str,
    *,
    names: ColumnNames,
    touch: Callable[[Iterator[bytes]], Iterator[bytes]],
    max_bytes: int,
) -> CatalogueSchema:
    """Unpack the stored ZIP archive into the input of its job; leave a workbook as it is.

    Returns the schema of the job's input.

    Args:
        names: columns that the caller has named.
        touch: wraps the unpacked blocks, so that the upload is not taken for lost.
        max_bytes: maximum unpacked size.

    Raises `CatalogueError`, and `OSError` of the storage.
    """
    with storage.open(upload_path(job_id)) as source:
        archive = ZipArchive(source)
        if archive.is_workbook:
            return xlsx_schema(source, max_bytes=max_bytes, names=names)
        unpacked = archive.read(archive.only_member(), max_bytes=max_bytes)
        head, complete = read_head(unpacked)
        schema = inspect_head(head, complete=complete, names=names)
        with storage.publish(input_path(job_id)) as target:
            target.write(head)
            for block in touch(unpacked):
                target.write(block)
    storage.delete(upload_path(job_id))
    return schema
