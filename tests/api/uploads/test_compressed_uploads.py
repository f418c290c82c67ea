"""Compressed catalogues and workbooks, detected by their content, whatever their name."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import Any

import openpyxl
import pytest

from api.http.filenames import download_name
from api.settings import ApiSettings
from catalogue.compressed.xlsx_reader import xlsx_to_csv
from catalogue.limits import PROBE_BYTES
from jobs.files.storage import input_path, upload_path
from tests.api.conftest import ApiHarness

CATALOGUE = b"title,summary\nA,some words\n"
LONG = CATALOGUE + b"".join(b"%d,other words\n" % n for n in range(PROBE_BYTES // 8))
FORM = {"content_type": "multipart/form-data; boundary=b"}


def form(content: bytes, *fields: tuple[str, str]) -> bytes:
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%b\r\n' % content
    ]
    for name, value in fields:
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        parts.append(head.encode())
    return b"".join(parts) + b"--b--\r\n"


def make_zip(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(
                name if "/" in name or "[" in name else name.replace("_", "."), content
            )
    return stream.getvalue()


def make_workbook(*rows: tuple[object, ...]) -> bytes:
    stream = io.BytesIO()
    book = openpyxl.Workbook(write_only=True)
    sheet: Any = book.create_sheet()
    for row in rows:
        sheet.append(row)
    book.save(stream)
    return stream.getvalue()


BOOK = make_workbook(("title", "summary"), *[(f"T{n}", f"words {n}") for n in range(500)])
OTHER_BOOK = make_workbook(("title", "remarks"), ("A", "B"))


def read_stored(harness: ApiHarness, path: str) -> bytes:
    with harness.storage.open(path) as stream:
        return bytes(stream.read())


@pytest.mark.parametrize("content", [CATALOGUE, LONG], ids=["short", "long"])
@pytest.mark.parametrize(
    "compress", [gzip.compress, lambda c: make_zip(books_tsv=c)], ids=["gz", "zip"]
)
@pytest.mark.parametrize("as_form", [False, True])
def test_a_compressed_catalogue_is_stored_decompressed(
    harness: ApiHarness, content: bytes, compress: Any, as_form: bool
) -> None:
    compressed = compress(content)
    arguments = {"data": form(compressed), **FORM} if as_form else {"data": compressed}
    response = harness.client().post("/v1/jobs", **arguments)
    assert response.status_code == 202, response.text
    job_id = response.json["id"]
    assert read_stored(harness, input_path(job_id)) == content
    assert response.json["input_bytes"] == len(compressed)
    assert response.json["summary_column"] == "summary"
    assert harness.storage.names(f"jobs/{job_id}") == ["input"]


def test_a_workbook_is_stored_with_the_schema_of_its_converted_csv(
    harness: ApiHarness,
) -> None:
    response = harness.client().post("/v1/jobs", data=BOOK)
    assert response.status_code == 202, response.text
    job_id = response.json["id"]
    assert read_stored(harness, upload_path(job_id)) == BOOK
    assert harness.storage.names(f"jobs/{job_id}") == ["upload"]
    schema = harness.store.jobs.schema(job_id)
    converted = b"".join(xlsx_to_csv(io.BytesIO(BOOK), max_bytes=1 << 30))
    assert schema.header == ("title", "summary")
    assert converted[schema.data_start :].startswith(b"T0,words 0\n")


@pytest.mark.parametrize("content", [OTHER_BOOK, make_zip(a_csv=b"title,remarks\nA,B\n")])
def test_the_column_may_follow_a_compressed_file_in_a_form(
    harness: ApiHarness, content: bytes
) -> None:
    data = form(content, ("summary_column", "remarks"))
    response = harness.client().post("/v1/jobs", data=data, **FORM)
    assert response.status_code == 202, response.text
    assert response.json["summary_column"] == "remarks"


def encrypted_zip() -> bytes:
    content = bytearray(make_zip(a_csv=CATALOGUE))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


REFUSED = {
    "cut gzip": (gzip.compress(LONG)[:-9], 422, "CORRUPT_ARCHIVE"),
    "cut zip": (make_zip(a_csv=LONG)[:-30], 422, "CORRUPT_ARCHIVE"),
    "no zip": (b"PK\x03\x04" + bytes(100), 422, "CORRUPT_ARCHIVE"),
    "several": (make_zip(a_csv=CATALOGUE, b_csv=CATALOGUE), 422, "MULTIPLE_FILES_IN_ARCHIVE"),
    "none": (make_zip(), 422, "EMPTY_ARCHIVE"),
    "password": (encrypted_zip(), 422, "ENCRYPTED_ARCHIVE"),
    "large gzip": (gzip.compress(LONG * 3), 413, "UNPACKED_TOO_LARGE"),
    "large zip": (make_zip(a_csv=LONG * 3), 413, "UNPACKED_TOO_LARGE"),
    "image in gzip": (gzip.compress(b"\x89PNG\r\n\x1a\n" + bytes(64)), 415, "NOT_TEXT"),
    "image in zip": (make_zip(a_png=b"\x89PNG\r\n\x1a\n" + bytes(64)), 415, "NOT_TEXT"),
    "empty gzip": (gzip.compress(b""), 422, "EMPTY_FILE"),
    "no column": (gzip.compress(b"title,remarks\nA,B\n"), 422, "NO_SUMMARY_COLUMN"),
    "no column, zip": (make_zip(a_csv=b"title,remarks\nA,B\n"), 422, "NO_SUMMARY_COLUMN"),
    "no column, workbook": (OTHER_BOOK, 422, "NO_SUMMARY_COLUMN"),
    "no rows, workbook": (make_workbook(("title", "summary")), 422, "NO_ROWS"),
    "empty workbook": (make_workbook(), 422, "EMPTY_FILE"),
    "damaged workbook": (
        make_zip(**{"[Content_Types].xml": b"<", "xl/workbook.xml": b"<"}),
        422,
        "WORKBOOK_UNREADABLE",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("as_form", [False, True])
def test_a_compressed_file_that_is_no_catalogue_leaves_no_files(
    harness: ApiHarness, case: str, as_form: bool
) -> None:
    harness.settings = ApiSettings(max_upload_bytes=1_000_000, max_unpacked_bytes=1_000_000)
    content, status, code = REFUSED[case]
    arguments = {"data": form(content), **FORM} if as_form else {"data": content}
    response = harness.client().post("/v1/jobs", **arguments)
    assert (response.status_code, response.json["code"]) == (status, code)
    assert response.json["detail"].endswith(".")
    assert harness.is_empty()


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("books.csv.gz", "books.labelled.csv"),
        ("Books.ZIP", "Books.labelled.csv"),
        ("books.tsv.zip", "books.labelled.csv"),
        ("books.xlsx", "books.labelled.csv"),
        (".gz", ".gz.labelled.csv"),
    ],
)
def test_the_download_name_drops_the_suffix_of_the_compression(
    filename: str, expected: str
) -> None:
    assert download_name(filename, "labelled") == expected
