"""Catalogues as people have them, packed or in a workbook, through real processes and back in every format."""

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


def read(content: bytes) -> Rows:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def gzipped(sample: bytes) -> bytes:
    return gzip.compress(sample)


def zipped(sample: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("shop/catalogue.csv", sample)
    return packed.getvalue()


def as_workbook(sample: bytes) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in read(sample):
        sheet.append(row)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def as_tsv(sample: bytes) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter="\t").writerows(read(sample))
    return text.getvalue().encode()


@pytest.mark.parametrize("pack", [gzipped, zipped, as_workbook, as_tsv])
def test_what_is_inside_a_package_is_labelled_as_if_it_came_plain(
    stack: Stack, sample: bytes, pack: Callable[[bytes], bytes]
) -> None:
    plain = stack.wait(stack.submit(sample))
    packed = stack.wait(stack.submit(pack(sample)))
    assert packed["state"] == "completed"
    assert packed["row_counts"] == plain["row_counts"]
    wanted = stack.http.get(f"/v1/jobs/{plain['id']}/result?format=jsonl").text
    found = stack.http.get(f"/v1/jobs/{packed['id']}/result?format=jsonl").text
    assert [json.loads(line) for line in found.splitlines()] == [
        json.loads(line) for line in wanted.splitlines()
    ]


def test_all_formats_of_a_result_say_the_same(stack: Stack, sample: bytes) -> None:
    job = stack.wait(stack.submit(sample))

    def result(kind: str) -> bytes:
        answer = stack.http.get(f"/v1/jobs/{job['id']}/result", params={"format": kind})
        assert answer.status_code == 200, answer.text
        return answer.content

    lines = [json.loads(line) for line in result("jsonl").splitlines()]
    header, *rows = read(result("csv"))
    table = pq.read_table(io.BytesIO(result("parquet"))).to_pylist()
    sheet = openpyxl.load_workbook(io.BytesIO(result("xlsx"))).worksheets[0]
    names, *cells = sheet.iter_rows(values_only=True)
    assert len(lines) == len(rows) == len(table) == len(cells) == 223
    assert [{k: v for k, v in row.items() if k != "extra_cells"} for row in table] == lines
    for line, row, values in zip(lines, rows, cells, strict=True):
        spelt = dict(zip(header, row, strict=True))
        shown = dict(zip(names, values, strict=False))
        assert spelt["Title"] == line["Title"] == (shown["Title"] or "")
        assert spelt["predicted_genre"] == (line["predicted_genre"] or "")
        assert shown["predicted_genre"] == line["predicted_genre"]
        assert float(spelt["confidence"] or -1) == (line["confidence"] or -1)
        assert spelt["genre_set"] == "|".join(line["genre_set"])
        assert shown["needs_review"] == line["needs_review"]
        assert set(ADDED) <= set(line)


def test_a_result_has_what_was_asked_for_at_submission(stack: Stack) -> None:
    catalogue = b"title,summary\n=1+1,A detective hunts a killer through the rain and fog\n"
    job = stack.wait(stack.submit(catalogue, alternatives="9", neutralise_formulas="true"))
    header, row = read(stack.result(str(job["id"])))
    found = dict(zip(header, row, strict=True))
    assert found["title"] == "'=1+1"
    listed = [cell.split(":") for cell in found["alternatives"].split("|")]
    assert [found["second_genre"], found["second_confidence"]] == listed[0]
    assert len({genre for genre, _ in listed} | {found["predicted_genre"]}) == 10
    total = float(found["confidence"]) + sum(float(chance) for _, chance in listed)
    assert total == pytest.approx(1, abs=0.001)
