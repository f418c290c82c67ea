"""A preview describes what an upload would detect, and stores nothing."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import Any

import openpyxl
import pytest

from api.settings import ApiSettings
from jobs.files.storage import Storage
from tests.api.conftest import ApiHarness

ROWS = 30_000
CATALOGUE = b"Title;Blurb;Price\r\n" + b"".join(
    b'"Title %d";"some words; and number %d";%d\r\n' % (n, n, n) for n in range(ROWS)
)


@pytest.fixture(autouse=True)
def _allow_uploads_of_five_megabytes(harness: ApiHarness) -> None:
    harness.settings = ApiSettings(max_upload_bytes=5_000_000)


def make_zip(content: bytes, name: str = "a.csv") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def make_workbook(rows: int, summary: str = "Blurb") -> bytes:
    stream = io.BytesIO()
    book = openpyxl.Workbook()
    sheet: Any = book.worksheets[0]
    sheet.append(["Title", summary])
    for n in range(rows):
        sheet.append([f"Title {n}", f"some words and number {n} " * 8])
    book.save(stream)
    return stream.getvalue()


def preview(harness: ApiHarness, content: bytes, **query: Any) -> dict[str, Any]:
    response = harness.client().post("/v1/preview", data=content, query_string=query)
    assert response.status_code == 200, response.text
    assert harness.is_empty()
    document: dict[str, Any] = response.json
    return document


def test_a_text_file_is_described_with_its_summary_column(harness: ApiHarness) -> None:
    document = preview(harness, CATALOGUE[:5000].rpartition(b"\r\n")[0])
    assert document["format"] == {
        "packing": "none",
        "kind": "text",
        "encoding": "utf-8",
        "delimiter": ";",
        "delimiter_name": "semicolon",
    }
    assert document["columns"] == ["Title", "Blurb", "Price"]
    assert document["summary_column"] == {
        "name": "Blurb",
        "index": 1,
        "why": "Its name is a word for a summary.",
    }
    assert document["obstacle"] is None
    assert document["first_rows"][0] == ["Title 0", "some words; and number 0", "0"]
    assert len(document["first_rows"]) == 10


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("short_summary", "Its name ends with “summary”."),
        ("summary_en", "Its name contains “summary”."),
        ("Book Description", "Its name is a word for a summary."),
    ],
)
def test_the_reason_for_the_column_is_given(harness: ApiHarness, header: str, why: str) -> None:
    assert preview(harness, f"title,{header}\nA,B\n".encode())["summary_column"]["why"] == why


def test_a_named_column_is_used_and_a_missing_one_is_an_obstacle(
    harness: ApiHarness,
) -> None:
    named = preview(harness, CATALOGUE, summary_column="title")
    assert named["summary_column"] == {"name": "Title", "index": 0, "why": "It was named."}
    missing = preview(harness, CATALOGUE, summary_column="plot")
    assert missing["summary_column"] is None
    assert missing["obstacle"]["code"] == "SUMMARY_COLUMN_NOT_FOUND"


def test_the_title_column_is_described_too(harness: ApiHarness) -> None:
    title_column = preview(harness, CATALOGUE)["title_column"]
    assert title_column == {"name": "Title", "index": 0, "why": "Its name is a word for a title."}
    named = preview(harness, CATALOGUE, title_column="price")["title_column"]
    assert named == {"name": "Price", "index": 2, "why": "It was named."}
    assert preview(harness, CATALOGUE, title_column="Blurb")["title_column"] is None
    missing = preview(harness, CATALOGUE, title_column="Titel")
    assert missing["obstacle"]["code"] == "TITLE_COLUMN_NOT_FOUND"


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"title,remarks\nA,B\n", "NO_SUMMARY_COLUMN"), (b"title,summary\n", "NO_ROWS")],
)
def test_a_reason_to_refuse_the_upload_is_an_obstacle(
    harness: ApiHarness, content: bytes, code: str
) -> None:
    document = preview(harness, content)
    assert document["obstacle"]["code"] == code
    assert harness.client().post("/v1/jobs", data=content).json["code"] == code
    assert document["columns"][0] == "title"


@pytest.mark.parametrize("compress", [bytes, gzip.compress, make_zip], ids=["plain", "gzip", "zip"])
def test_the_rows_of_a_short_file_are_counted(harness: ApiHarness, compress: Any) -> None:
    content = b"title,summary\n" + b'A,"two\nlines"\n\n' * 500
    assert preview(harness, compress(content))["rows"] == {"count": 500, "exact": True}


@pytest.mark.parametrize("compress", [bytes, gzip.compress, make_zip], ids=["plain", "gzip", "zip"])
def test_the_rows_of_a_long_file_are_estimated(harness: ApiHarness, compress: Any) -> None:
    rows = preview(harness, compress(CATALOGUE))["rows"]
    assert not rows["exact"]
    assert rows["count"] == pytest.approx(ROWS, rel=0.1)


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("sent", [20_000, 100_000])
def test_the_beginning_of_a_file_and_its_size_suffice(
    harness: ApiHarness, compress: Any, sent: int
) -> None:
    compressed = compress(CATALOGUE)
    document = preview(harness, compressed[:sent], total_bytes=len(compressed))
    assert not document["rows"]["exact"]
    assert document["rows"]["count"] == pytest.approx(ROWS, rel=0.15)
    assert len(document["first_rows"]) == 10


def test_a_beginning_without_rows_is_no_obstacle(harness: ApiHarness) -> None:
    document = preview(harness, b"title,summary\nA,", total_bytes=10_000)
    assert (document["obstacle"], document["first_rows"]) == (None, [])
    assert document["rows"] == {"count": None, "exact": False}


def test_a_workbook_is_described_as_its_converted_csv(harness: ApiHarness) -> None:
    short = preview(harness, make_workbook(20))
    assert short["format"]["kind"] == "workbook"
    assert short["rows"] == {"count": 20, "exact": True}
    assert short["first_rows"][19 - 10] == ["Title 9", "some words and number 9 " * 8]
    long = preview(harness, make_workbook(8_000))
    assert long["rows"] == {"count": 8_000, "exact": False}
    assert preview(harness, make_workbook(3, "Remarks"))["obstacle"]["code"] == "NO_SUMMARY_COLUMN"


@pytest.mark.parametrize(
    "content", [make_zip(CATALOGUE), make_workbook(500)], ids=["zip", "workbook"]
)
def test_the_beginning_of_an_archive_does_not_suffice(harness: ApiHarness, content: bytes) -> None:
    response = harness.client().post(
        "/v1/preview", data=content[:5000], query_string={"total_bytes": len(content)}
    )
    assert (response.status_code, response.json["code"]) == (422, "PREVIEW_NEEDS_WHOLE_FILE")
    assert harness.is_empty()


def test_a_form_may_have_the_column_after_the_file(harness: ApiHarness) -> None:
    parts = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n%b\r\n'
        b'--b\r\nContent-Disposition: form-data; name="summary_column"\r\n\r\nPrice\r\n--b--\r\n'
    )
    response = harness.client().post(
        "/v1/preview", data=parts % (CATALOGUE * 5), content_type="multipart/form-data; boundary=b"
    )
    assert response.status_code == 413  # above the limit of uploads
    response = harness.client().post(
        "/v1/preview",
        data=parts % CATALOGUE,
        content_type="multipart/form-data; boundary=b",
    )
    assert response.json["summary_column"]["name"] == "Price"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "NO_FILE"),
        (b"\n\n", 422, "EMPTY_FILE"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), 415, "NOT_TEXT"),
        (b'a,"b' + b"x" * 400_000, 422, "HEADER_UNREADABLE"),
        (gzip.compress(CATALOGUE)[:5000], 422, "CORRUPT_ARCHIVE"),
        (b"PK\x03\x04" + bytes(99), 422, "CORRUPT_ARCHIVE"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused(
    harness: ApiHarness, content: bytes, status: int, code: str
) -> None:
    response = harness.client().post("/v1/preview", data=content)
    assert (response.status_code, response.json["code"]) == (status, code)
    assert harness.is_empty()


def test_long_cells_are_truncated_and_undecodable_bytes_are_replaced(harness: ApiHarness) -> None:
    document = preview(
        harness, b"title,summary\nA\xff\xc3\xa9\xc3\xa9\xc3\xa9," + b"x" * 1000 + b"\n"
    )
    title, summary = document["first_rows"][0]
    assert title == "A?ééé"
    assert summary == "x" * 300 + "…"


def test_an_invalid_size_is_refused(harness: ApiHarness) -> None:
    response = harness.client().post("/v1/preview?total_bytes=-1", data=CATALOGUE)
    assert (response.status_code, response.json["code"]) == (400, "INVALID_PARAMETER")


def test_a_failure_of_the_storage_is_reported(harness: ApiHarness, tmp_path: Any) -> None:
    (tmp_path / "file").touch()
    harness.storage = Storage(str(tmp_path / "file"))
    response = harness.client().post("/v1/preview", data=make_zip(CATALOGUE))
    assert (response.status_code, response.json["code"]) == (503, "STORAGE_UNAVAILABLE")
    # A text file needs no storage.
    assert harness.client().post("/v1/preview", data=CATALOGUE).status_code == 200
