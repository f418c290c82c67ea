"""Workbooks built part by part, with content that no program writes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping

SHEET, TEXTS, STYLES = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"
WORKBOOK, TYPES = "xl/workbook.xml", "[Content_Types].xml"
OPEN = "http://schemas.openxmlformats.org"
MAIN = f"{OPEN}/spreadsheetml/2006/main"
_OFFICE = f"{OPEN}/officeDocument/2006/relationships"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
SHEET_CONTENT = (
    f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
    '<row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2" t="s"><v>2</v></c></row></sheetData></worksheet>'
)
TEXTS_CONTENT = f'<sst xmlns="{MAIN}"><si><t>title</t></si><si><t>summary</t></si><si><t>a detective</t></si></sst>'

RepeatedContent = tuple[str, str, int, str]
"""Start, repeated unit, number of repetitions, end."""


def parts_of(workbook: str) -> dict[str, str]:
    """The parts of a workbook with one row, whose main part has this path."""
    folder, _, name = workbook.rpartition("/")
    return {
        TYPES: f'<Types xmlns="{OPEN}/package/2006/content-types">'
        f'<Override PartName="/{workbook}" ContentType="{_KIND}.sheet.main+xml"/>'
        f'<Override PartName="/{TEXTS}" ContentType="{_KIND}.sharedStrings+xml"/></Types>',
        workbook: f'<workbook xmlns="{MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
        f"{folder}/_rels/{name}.rels": f'<Relationships xmlns="{OPEN}/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        SHEET: SHEET_CONTENT,
        TEXTS: TEXTS_CONTENT,
        STYLES: f'<styleSheet xmlns="{MAIN}"></styleSheet>',
    }


def make_workbook(
    parts: Mapping[str, str | RepeatedContent], *, workbook: str = WORKBOOK
) -> io.BytesIO:
    """A workbook with some parts replaced."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, default in parts_of(workbook).items():
            with archive.open(name, "w") as part:
                for block in blocks(parts.get(name, default)):
                    part.write(block)
    return stream


def blocks(content: str | RepeatedContent) -> Iterator[bytes]:
    if isinstance(content, str):
        yield content.encode()
        return
    begin, unit, count, end = content
    yield begin.encode()
    repeats = max(1, (1 << 20) // len(unit))
    for _ in range(count // repeats):
        yield unit.encode() * repeats
    yield unit.encode() * (count % repeats) + end.encode()


def book(*, sheet: str, texts: str) -> io.BytesIO:
    """A workbook with these rows and shared texts, as XML."""
    return make_workbook(
        {
            SHEET: f'<worksheet xmlns="{MAIN}"><sheetData>{sheet}</sheetData></worksheet>',
            TEXTS: f'<sst xmlns="{MAIN}">{texts}</sst>',
        }
    )
