"""A look into a file says what an upload would see, and keeps nothing."""

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
def _takes_five_megabytes(harness: ApiHarness) -> None:
    harness.settings = ApiSettings(max_upload_bytes=5_000_000)


def zipped(content: bytes, name: str = "a.csv") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def workbook(rows: int, summary: str = "Blurb") -> bytes:
    stream = io.BytesIO()
    book = openpyxl.Workbook()
    sheet: Any = book.worksheets[0]
    sheet.append(["Title", summary])
    for n in range(rows):
        sheet.append([f"Title {n}", f"some words and number {n} " * 8])
    book.save(stream)
    return stream.getvalue()


def look(harness: ApiHarness, content: bytes, **query: Any) -> dict[str, Any]:
    answer = harness.client().post("/v1/preview", data=content, query_string=query)
    assert answer.status_code == 200, answer.text
    assert harness.is_empty()
    found: dict[str, Any] = answer.json
    return found


def test_a_text_file_is_described_with_the_column_that_would_be_taken(harness: ApiHarness) -> None:
    seen = look(harness, CATALOGUE[:5000].rpartition(b"\r\n")[0])
    assert seen["format"] == {
        "packing": "none",
        "kind": "text",
        "encoding": "utf-8",
        "delimiter": ";",
        "delimiter_name": "semicolon",
    }
    assert seen["columns"] == ["Title", "Blurb", "Price"]
    assert seen["summary_column"] == {
        "name": "Blurb",
        "index": 1,
        "why": "Its name is a word for a summary.",
    }
    assert seen["obstacle"] is None
    assert seen["first_rows"][0] == ["Title 0", "some words; and number 0", "0"]
    assert len(seen["first_rows"]) == 10


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("short_summary", "Its name ends with “summary”."),
        ("summary_en", "Its name contains “summary”."),
        ("Book Description", "Its name is a word for a summary."),
    ],
)
def test_why_a_column_was_chosen_is_said(harness: ApiHarness, header: str, why: str) -> None:
    assert look(harness, f"title,{header}\nA,B\n".encode())["summary_column"]["why"] == why


def test_a_named_column_is_taken_and_one_that_is_not_there_is_an_obstacle(
    harness: ApiHarness,
) -> None:
    named = look(harness, CATALOGUE, summary_column="title")
    assert named["summary_column"] == {"name": "Title", "index": 0, "why": "It was named."}
    missing = look(harness, CATALOGUE, summary_column="plot")
    assert missing["summary_column"] is None
    assert missing["obstacle"]["code"] == "SUMMARY_COLUMN_NOT_FOUND"


def test_the_title_that_would_be_read_is_said_too(harness: ApiHarness) -> None:
    found = look(harness, CATALOGUE)["title_column"]
    assert found == {"name": "Title", "index": 0, "why": "Its name is a word for a title."}
    named = look(harness, CATALOGUE, title_column="price")["title_column"]
    assert named == {"name": "Price", "index": 2, "why": "It was named."}
    assert look(harness, CATALOGUE, title_column="Blurb")["title_column"] is None
    missing = look(harness, CATALOGUE, title_column="Titel")
    assert missing["obstacle"]["code"] == "TITLE_COLUMN_NOT_FOUND"


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"title,remarks\nA,B\n", "NO_SUMMARY_COLUMN"), (b"title,summary\n", "NO_ROWS")],
)
def test_what_an_upload_would_be_refused_for_is_an_obstacle(
    harness: ApiHarness, content: bytes, code: str
) -> None:
    seen = look(harness, content)
    assert seen["obstacle"]["code"] == code
    assert harness.client().post("/v1/jobs", data=content).json["code"] == code
    assert seen["columns"][0] == "title"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zipped], ids=["plain", "gzip", "zip"])
def test_the_rows_of_a_short_file_are_counted(harness: ApiHarness, pack: Any) -> None:
    content = b"title,summary\n" + b'A,"two\nlines"\n\n' * 500
    assert look(harness, pack(content))["rows"] == {"count": 500, "exact": True}


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zipped], ids=["plain", "gzip", "zip"])
def test_the_rows_of_a_long_file_are_guessed(harness: ApiHarness, pack: Any) -> None:
    rows = look(harness, pack(CATALOGUE))["rows"]
    assert not rows["exact"]
    assert rows["count"] == pytest.approx(ROWS, rel=0.1)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("sent", [20_000, 100_000])
def test_the_beginning_of_a_file_and_its_size_are_enough(
    harness: ApiHarness, pack: Any, sent: int
) -> None:
    packed = pack(CATALOGUE)
    seen = look(harness, packed[:sent], total_bytes=len(packed))
    assert not seen["rows"]["exact"]
    assert seen["rows"]["count"] == pytest.approx(ROWS, rel=0.15)
    assert len(seen["first_rows"]) == 10


def test_a_header_alone_at_the_beginning_is_no_obstacle(harness: ApiHarness) -> None:
    seen = look(harness, b"title,summary\nA,", total_bytes=10_000)
    assert (seen["obstacle"], seen["first_rows"]) == (None, [])
    assert seen["rows"] == {"count": None, "exact": False}


def test_a_workbook_is_described_as_the_csv_that_it_becomes(harness: ApiHarness) -> None:
    short = look(harness, workbook(20))
    assert short["format"]["kind"] == "workbook"
    assert short["rows"] == {"count": 20, "exact": True}
    assert short["first_rows"][19 - 10] == ["Title 9", "some words and number 9 " * 8]
    long = look(harness, workbook(8_000))
    assert long["rows"] == {"count": 8_000, "exact": False}
    assert look(harness, workbook(3, "Remarks"))["obstacle"]["code"] == "NO_SUMMARY_COLUMN"


@pytest.mark.parametrize("content", [zipped(CATALOGUE), workbook(500)], ids=["zip", "workbook"])
def test_of_an_archive_the_beginning_is_not_enough(harness: ApiHarness, content: bytes) -> None:
    answer = harness.client().post(
        "/v1/preview", data=content[:5000], query_string={"total_bytes": len(content)}
    )
    assert (answer.status_code, answer.json["code"]) == (422, "PREVIEW_NEEDS_WHOLE_FILE")
    assert harness.is_empty()


def test_a_form_is_read_to_its_end_for_the_column(harness: ApiHarness) -> None:
    parts = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n%b\r\n'
        b'--b\r\nContent-Disposition: form-data; name="summary_column"\r\n\r\nPrice\r\n--b--\r\n'
    )
    answer = harness.client().post(
        "/v1/preview", data=parts % (CATALOGUE * 5), content_type="multipart/form-data; boundary=b"
    )
    assert answer.status_code == 413  # larger than an upload may be here
    answer = harness.client().post(
        "/v1/preview",
        data=parts % CATALOGUE,
        content_type="multipart/form-data; boundary=b",
    )
    assert answer.json["summary_column"]["name"] == "Price"


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
def test_what_is_no_catalogue_at_all_is_refused(
    harness: ApiHarness, content: bytes, status: int, code: str
) -> None:
    answer = harness.client().post("/v1/preview", data=content)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert harness.is_empty()


def test_long_and_broken_cells_are_shown_as_well_as_they_can_be(harness: ApiHarness) -> None:
    seen = look(harness, b"title,summary\nA\xff\xc3\xa9\xc3\xa9\xc3\xa9," + b"x" * 1000 + b"\n")
    title, summary = seen["first_rows"][0]
    assert title == "A?ééé"
    assert summary == "x" * 300 + "…"


def test_a_size_that_is_none_is_refused(harness: ApiHarness) -> None:
    answer = harness.client().post("/v1/preview?total_bytes=-1", data=CATALOGUE)
    assert (answer.status_code, answer.json["code"]) == (400, "INVALID_PARAMETER")


def test_a_preview_that_needs_the_storage_says_when_it_fails(
    harness: ApiHarness, tmp_path: Any
) -> None:
    (tmp_path / "file").touch()
    harness.storage = Storage(str(tmp_path / "file"))
    answer = harness.client().post("/v1/preview", data=zipped(CATALOGUE))
    assert (answer.status_code, answer.json["code"]) == (503, "STORAGE_UNAVAILABLE")
    # A text file needs none.
    assert harness.client().post("/v1/preview", data=CATALOGUE).status_code == 200
