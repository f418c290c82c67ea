"""The parts of an Excel workbook: first visible sheet, shared strings, date formats."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO
from xml.etree.ElementTree import Element

from catalogue.compressed.xml_elements import ElementPath, XmlRefused, elements
from catalogue.compressed.zip_file import BoundedZip
from catalogue.errors import EmptyFile
from catalogue.limits import (
    MAX_FORMATS,
    MAX_PACKAGE_PART_BYTES,
    MAX_ZIP_MEMBERS,
    PART_RATIO_COUNTS_FROM,
)

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_CONTENT_TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_RELATION_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_SHARED_TEXTS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
_WORKBOOKS = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml",
    "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    "application/vnd.ms-excel.template.macroEnabled.main+xml",
)
_USUAL_WORKBOOK = "xl/workbook.xml"
_STYLES = "xl/styles.xml"
_MAX_FORMAT_CHARACTERS = 255  # Excel's own limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """Indices of the cell formats for dates or times, and for durations."""

    dates: frozenset[int]
    durations: frozenset[int]


class WorkbookPackage:
    """The parts of a workbook. `open` enforces the limits on each part."""

    def __init__(self, stream: BinaryIO) -> None:
        self._zip = BoundedZip(stream)
        workbook, self._shared_texts = self._contents()
        self.counts_from_1904 = False
        """Whether dates count days since 1904 instead of 1900."""
        self.sheet = self._first_visible_sheet(workbook)
        """The path of the first visible sheet."""

    def open(self, path: str, *, max_bytes: int = MAX_PACKAGE_PART_BYTES) -> IO[bytes]:
        """Open a part. Raises `KeyError` if it does not exist, and `UnpackedTooLarge`."""
        return self._zip.open(path, max_bytes=max_bytes, ratio_from=PART_RATIO_COUNTS_FROM)

    def size(self, path: str) -> int:
        """Decompressed size of a part in bytes."""
        return self._zip.size(path)

    def shared_texts(self, *, max_bytes: int) -> Iterator[str]:
        """Yield the shared strings in order; none if the part is missing."""
        if self._shared_texts is None:
            return
        place = (f"{MAIN}sst", f"{MAIN}si")
        with self.open(self._shared_texts, max_bytes=max_bytes) as source:
            for element in elements(source, {place}, until=f"{MAIN}sst"):
                runs = [element.findtext(f"{MAIN}t")]
                runs += [run.findtext(f"{MAIN}t") for run in element.findall(f"{MAIN}r")]
                yield "".join(run for run in runs if run)

    def formats(self) -> Formats:
        """Return the cell formats for dates and durations; none if there are no styles."""
        from openpyxl.styles.numbers import (
            builtin_format_code,
            is_date_format,
            is_timedelta_format,
        )

        def of_builtin(number: str) -> tuple[bool, bool]:
            code = builtin_format_code(int(number))
            return is_date_format(code), is_timedelta_format(code)

        own: dict[str, tuple[bool, bool]] = {}
        dates: set[int] = set()
        durations: set[int] = set()
        count = 0
        number_format = (f"{MAIN}numFmts", f"{MAIN}numFmt")
        cell_format = (f"{MAIN}cellXfs", f"{MAIN}xf")
        if _STYLES not in self._zip.names:
            return Formats(dates=frozenset(), durations=frozenset())
        for element in self._elements(_STYLES, number_format, cell_format, until=cell_format[0]):
            if element.tag == number_format[1]:
                code = element.get("formatCode", "")[:_MAX_FORMAT_CHARACTERS]
                own[element.get("numFmtId", "")] = is_date_format(code), is_timedelta_format(code)
            else:
                number = element.get("numFmtId", "0")
                is_date, is_duration = own.get(number) or of_builtin(number)
                if is_date:
                    dates.add(count)
                if is_duration:
                    durations.add(count)
                count += 1
            if max(count, len(own)) > MAX_FORMATS:
                raise XmlRefused("there are too many formats")
        return Formats(dates=frozenset(dates), durations=frozenset(durations))

    def _contents(self) -> tuple[str, str | None]:
        """The paths of the workbook part and of the shared strings."""
        workbook = _USUAL_WORKBOOK
        shared: str | None = None
        types = f"{_CONTENT_TYPES}Types"
        place = (types, f"{_CONTENT_TYPES}Override")
        usual = (types, f"{_CONTENT_TYPES}Default")
        is_workbook = False
        for element in self._elements("[Content_Types].xml", place, usual, until=types):
            kind, path = element.get("ContentType"), element.get("PartName", "").removeprefix("/")
            is_workbook = is_workbook or kind in _WORKBOOKS
            if path and kind in _WORKBOOKS:
                workbook = path
            elif path and kind == _SHARED_TEXTS:
                shared = path
        if not is_workbook:
            raise XmlRefused("no part is a workbook")
        return workbook, shared

    def _first_visible_sheet(self, workbook: str) -> str:
        root, sheets = f"{MAIN}workbook", f"{MAIN}sheets"
        paths = (root, f"{MAIN}workbookPr"), (sheets, f"{MAIN}sheet")
        visible: dict[str, None] = {}  # in order
        for element in self._elements(workbook, *paths, until=sheets):
            if element.tag == paths[0][1]:
                self.counts_from_1904 = element.get("date1904", "0") in ("1", "true", "on")
            elif element.get("state", "visible") == "visible" and _RELATION_ID in element.attrib:
                visible[element.attrib[_RELATION_ID]] = None
                if len(visible) > MAX_ZIP_MEMBERS:
                    raise XmlRefused("there are too many sheets")
        folder, name = posixpath.split(workbook)
        relations = f"{_RELATIONS}Relationships"
        targets = {
            element.get("Id"): element
            for element in self._elements(
                posixpath.join(folder, "_rels", f"{name}.rels"),
                (relations, f"{_RELATIONS}Relationship"),
                until=relations,
            )
            if element.get("Id") in visible
        }
        for number in visible:
            relation = targets[number]
            if "chartsheet" not in relation.get("Type", ""):
                target = relation.get("Target", "")
                if target.startswith("/"):
                    return target[1:]
                return posixpath.normpath(posixpath.join(folder, target))
        raise EmptyFile("The workbook has no visible sheet; put the catalogue on one.")

    def _elements(self, path: str, *paths: ElementPath, until: str) -> Iterator[Element]:
        with self.open(path) as source:
            yield from elements(source, paths, until=until)
