"""The schema of a file's head: columns, summary, title, and where rows begin."""

import json

import pytest

from catalogue.errors import (
    CatalogueError,
    EmptyFile,
    HeaderUnreadable,
    NoRows,
    NoSummaryColumn,
    NotText,
    SummaryColumnUnknown,
    TitleColumnUnknown,
    TooManyColumns,
)
from catalogue.parsing.columns import ColumnNames
from catalogue.parsing.schema import CatalogueSchema, inspect_head


def inspect(text: str | bytes, summary_column: str | None = None) -> CatalogueSchema:
    head = text if isinstance(text, bytes) else text.encode()
    return inspect_head(head, complete=True, names=ColumnNames(summary=summary_column))


def detected_column(*names: str) -> str:
    schema = inspect(",".join(names) + "\n" + "x," * len(names) + "\n")
    return f"{schema.header[schema.summary_index]}@{schema.summary_index}"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("title", "SUMMARY"), "SUMMARY@1"),
        (("", "Book", "Author", "Description", "URL"), "Description@3"),
        (("Book_Title", "Book_Description", "url"), "Book_Description@1"),
        (("title", "Blurb", "Abstract"), "Blurb@1"),
        (("description", "summary"), "summary@1"),
        (("book_description", "blurb"), "blurb@1"),
        (("title", "Product Description"), "Product Description@1"),
        (("title", "bookDescription"), "bookDescription@1"),
        (("summary_language", "summary_url", "short-summary"), "short-summary@2"),
        (("summary_url", "summary_text"), "summary_text@1"),
        (("title", "Résumé"), "Résumé@1"),
        (("Titel", "Klappentext"), "Klappentext@1"),
        (("summary", "summary"), "summary@0"),
        (("plot_id", "synopsis"), "synopsis@1"),
        ((" Summary ", "title"), " Summary @0"),
    ],
)
def test_the_summary_column_is_detected_in_the_documented_order(
    names: tuple[str, ...], expected: str
) -> None:
    assert detected_column(*names) == expected


def test_a_named_summary_column_is_matched_exactly_then_loosely() -> None:
    text = "summary,Text EN,text en\na,b,c\n"
    assert inspect(text, "text en").summary_index == 2
    assert inspect(text, "Text EN").summary_index == 1
    assert inspect(text, " TEXTEN ").summary_index == 1


def test_an_unknown_summary_column_is_refused_with_a_list_of_the_columns() -> None:
    with pytest.raises(SummaryColumnUnknown, match=r"“plott”.*“title”, “plot”, \(unnamed\)"):
        inspect("title,plot,\n1,2,3\n", "plott")


def test_a_file_without_summary_column_is_refused_with_a_list_of_the_columns() -> None:
    with pytest.raises(NoSummaryColumn, match="“title”, “price”") as caught:
        inspect("title,price\nDune,9\n")
    assert caught.value.code == "NO_SUMMARY_COLUMN"


def test_error_messages_are_bounded_and_encodable_for_any_column_names() -> None:
    header = b",".join([b"caf\xe9\xff" + b"x" * 100, "größe é é é".encode(), *[b"c"] * 50])
    with pytest.raises(NoSummaryColumn) as caught:
        inspect(header + b"\n1\n")
    assert len(str(caught.value).encode()) < 1_000
    assert "and 22 more" in str(caught.value)


@pytest.mark.parametrize("empty", ["", " \r\n\n ", "sep=;\n"])
def test_a_file_of_white_space_is_refused_as_empty(empty: str) -> None:
    with pytest.raises(EmptyFile):
        inspect(empty)
    for encoding in ("utf-8-sig", "utf-16"):
        with pytest.raises(EmptyFile):
            inspect(empty.encode(encoding))


@pytest.mark.parametrize("text", ["title,summary", "title,summary\r\n", "title,summary\n\n\n"])
def test_a_file_with_only_a_header_is_refused(text: str) -> None:
    with pytest.raises(NoRows):
        inspect(text)


def test_an_unterminated_header_is_refused() -> None:
    with pytest.raises(HeaderUnreadable):
        inspect('title,"summary\nDune,Worms\n')
    with pytest.raises(HeaderUnreadable):
        inspect_head(b"summary," * 1000, complete=False)


def test_binary_is_refused() -> None:
    with pytest.raises(NotText):
        inspect(b"%PDF-1.4 summary")


def test_every_error_has_its_own_code() -> None:
    codes = [error.code for error in CatalogueError.__subclasses__()]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("before", ["", "sep=;\r\n", "\r\n\r\n"])
def test_rows_begin_directly_after_the_header(encoding: str, before: str) -> None:
    header = before + '"line\nbreak";Ünit;summary\r\n'
    head = (header + "1;2;drägon\r\n").encode(encoding)
    schema = inspect(head)
    assert schema.header == ("line\nbreak", "Ünit", "summary")
    assert schema.data_start == len(header.encode(encoding))


def test_a_schema_survives_json() -> None:
    schema = inspect(b"t\xc3\xa9\xff,summary,\xc3\xa9\xc3\xa9\n1,2\n")
    assert "\udcff" in schema.header[0]
    assert CatalogueSchema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema


@pytest.mark.parametrize(
    ("header", "index"), [("id,Title,summary", 1), ("Titel,summary", 0), ("id,summary", None)]
)
def test_the_title_column_is_detected(header: str, index: int | None) -> None:
    schema = inspect_head(f"{header}\n1,2,3\n".encode(), complete=True)
    assert schema.title_index == index
    assert CatalogueSchema.from_dict(schema.to_dict()) == schema


def test_the_summary_column_is_not_also_the_title() -> None:
    schema = inspect_head(b"title,year\nx,1\n", complete=True, names=ColumnNames(summary="title"))
    assert schema.title_index is None


def titles_of(text: str, **names: str) -> int | None:
    return inspect_head(text.encode(), complete=True, names=ColumnNames(**names)).title_index


def test_a_named_title_column_is_matched_exactly_then_loosely() -> None:
    text = "title,Work Title,work title,summary\na,b,c,d\n"
    assert titles_of(text, title="work title") == 2
    assert titles_of(text, title="WORKTITLE") == 1


def test_naming_the_summary_column_as_title_disables_the_title() -> None:
    assert titles_of("title,summary\na,b\n", title="summary") is None


def test_an_unknown_title_column_is_refused_with_a_list_of_the_columns() -> None:
    with pytest.raises(TitleColumnUnknown, match=r"“titel”.*“title”, “plot”.*the title column"):
        titles_of("title,plot\n1,2\n", title="titel")


@pytest.mark.parametrize("name", ["a", "", '"a, b"', '"a ""b"" c"'])
def test_a_header_has_at_most_two_thousand_columns(name: str) -> None:
    fits = ",".join([*[name] * 1_999, "summary"]) + "\nrow\n"
    assert len(inspect_head(fits.encode(), complete=True).header) == 2_000
    with pytest.raises(TooManyColumns, match="2,001"):
        inspect_head(f"{name},{fits}".encode(), complete=True)


def test_column_names_have_at_most_64_kib_in_utf_8_in_any_encoding() -> None:
    name = "é" * (32 * 1024 - 4)  # with “summary”, 65,535 bytes
    assert inspect_head(f"{name},summary\n,x\n".encode("utf-16"), complete=True).summary_index == 1
    with pytest.raises(HeaderUnreadable):
        inspect_head(f"{name}é,summary\n,x\n".encode("cp1252"), complete=True)
