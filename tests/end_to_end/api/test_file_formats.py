"""Compressed files and workbooks through real processes, and results in every format."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable

import openpyxl
import pyarrow.parquet as pq
import pytest

from tests.stack import Stack

ADDED = ["predicted_genre", "confidence", "genre_set", "needs_review", "row_error"]
Rows = list[list[str]]


def parse_csv(content: bytes) -> Rows:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def make_gzip(sample: bytes) -> bytes:
    return gzip.compress(sample)


def make_zip(sample: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("shop/catalogue.csv", sample)
    return stream.getvalue()


def make_workbook(sample: bytes) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in parse_csv(sample):
        sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def make_tsv(sample: bytes) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter="\t").writerows(parse_csv(sample))
    return text.getvalue().encode()


@pytest.mark.parametrize("convert", [make_gzip, make_zip, make_workbook, make_tsv])
def test_a_converted_file_is_labelled_like_the_plain_one(
    stack: Stack, sample: bytes, convert: Callable[[bytes], bytes]
) -> None:
    plain = stack.wait(stack.submit(sample))
    converted = stack.wait(stack.submit(convert(sample)))
    assert converted["state"] == "completed"
    assert converted["row_counts"] == plain["row_counts"]
    expected = stack.http.get(f"/v1/jobs/{plain['id']}/result?format=jsonl").text
    received = stack.http.get(f"/v1/jobs/{converted['id']}/result?format=jsonl").text
    assert [json.loads(line) for line in received.splitlines()] == [
        json.loads(line) for line in expected.splitlines()
    ]


def test_all_formats_of_a_result_have_the_same_values(stack: Stack, sample: bytes) -> None:
    job = stack.wait(stack.submit(sample))

    def result(format_name: str) -> bytes:
        response = stack.http.get(f"/v1/jobs/{job['id']}/result", params={"format": format_name})
        assert response.status_code == 200, response.text
        return response.content

    lines = [json.loads(line) for line in result("jsonl").splitlines()]
    header, *rows = parse_csv(result("csv"))
    table = pq.read_table(io.BytesIO(result("parquet"))).to_pylist()
    sheet = openpyxl.load_workbook(io.BytesIO(result("xlsx"))).worksheets[0]
    names, *cells = sheet.iter_rows(values_only=True)
    assert len(lines) == len(rows) == len(table) == len(cells) == 223
    assert [{k: v for k, v in row.items() if k != "extra_cells"} for row in table] == lines
    for line, row, values in zip(lines, rows, cells, strict=True):
        csv_row = dict(zip(header, row, strict=True))
        xlsx_row = dict(zip(names, values, strict=False))
        assert csv_row["Title"] == line["Title"] == (xlsx_row["Title"] or "")
        assert csv_row["predicted_genre"] == (line["predicted_genre"] or "")
        assert xlsx_row["predicted_genre"] == line["predicted_genre"]
        assert float(csv_row["confidence"] or -1) == (line["confidence"] or -1)
        assert csv_row["genre_set"] == "|".join(line["genre_set"])
        assert xlsx_row["needs_review"] == line["needs_review"]
        assert set(ADDED) <= set(line)


def test_a_result_follows_the_options_of_the_submission(stack: Stack) -> None:
    catalogue = b"title,summary\n=1+1,A detective hunts a killer through the rain and fog\n"
    job = stack.wait(stack.submit(catalogue, alternatives="9", neutralise_formulas="true"))
    header, row = parse_csv(stack.result(str(job["id"])))
    cells = dict(zip(header, row, strict=True))
    assert cells["title"] == "'=1+1"
    alternatives = [cell.split(":") for cell in cells["alternatives"].split("|")]
    assert [cells["second_genre"], cells["second_confidence"]] == alternatives[0]
    assert len({genre for genre, _ in alternatives} | {cells["predicted_genre"]}) == 10
    total = float(cells["confidence"]) + sum(float(chance) for _, chance in alternatives)
    assert total == pytest.approx(1, abs=0.001)
