"""Detection of the encoding, and decoding that never fails."""

import pytest

from catalogue.errors import NotText
from catalogue.parsing.encoding import Encoding, decode, detect_encoding

TEXT = "title,summary\nLes Misérables,Jean Valjean flees — “again”\n"


@pytest.mark.parametrize(
    ("raw", "encoding", "bom"),
    [
        (b"title,summary\nplain,ascii\n", Encoding.UTF_8, 0),
        (TEXT.encode(), Encoding.UTF_8, 0),
        (TEXT.encode("utf-8-sig"), Encoding.UTF_8, 3),
        (TEXT.encode("cp1252"), Encoding.CP1252, 0),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), Encoding.UTF_16_LE, 2),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), Encoding.UTF_16_BE, 2),
        (TEXT.encode("utf-16-le"), Encoding.UTF_16_LE, 0),
        (TEXT.encode("utf-16-be"), Encoding.UTF_16_BE, 0),
        (b"\xff\xfe" + "标题,摘要\n三体,外星\n".encode("utf-16-le"), Encoding.UTF_16_LE, 2),
    ],
)
def test_the_encoding_is_detected_and_the_text_decoded(
    raw: bytes, encoding: Encoding, bom: int
) -> None:
    assert detect_encoding(raw, complete=True) == (encoding, bom)
    assert decode(raw[bom:], encoding) == raw[bom:].decode(encoding)


@pytest.mark.parametrize("head_bytes", range(1, 5))
def test_a_character_truncated_by_the_end_of_the_head_is_valid(head_bytes: int) -> None:
    head = ("summary\n" + "é€😀").encode()[: len("summary\n") + 1 + head_bytes]
    assert detect_encoding(head, complete=False)[0] is Encoding.UTF_8


def test_a_character_truncated_by_the_end_of_the_file_is_invalid() -> None:
    assert detect_encoding(b"summary\ncaf\xc3", complete=True)[0] is Encoding.CP1252


def test_one_invalid_byte_does_not_change_the_detected_utf_8() -> None:
    raw = "é".encode() * 10 + b"\xff"
    assert detect_encoding(raw, complete=True)[0] is Encoding.UTF_8
    assert decode(raw, Encoding.UTF_8).encode("utf-8", "surrogateescape") == raw


@pytest.mark.parametrize("encoding", list(Encoding))
def test_every_byte_can_be_decoded(encoding: Encoding) -> None:
    assert decode(bytes(range(256)) + b"\xd8\x00\x00\xd8,", encoding)


def test_undefined_bytes_of_cp1252_become_control_characters() -> None:
    assert decode(b"\x81\x8d\x8f\x90\x9d\x80", Encoding.CP1252) == "\x81\x8d\x8f\x90\x9d€"


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (b"PK\x03\x04....[Content_Types].xml....xl/workbook.xml", "Excel workbook"),
        (b"PK\x03\x04....mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "OpenDocument"),
        (b"PK\x03\x04....books.csv", "ZIP"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel workbook"),
        (b"\x89PNG\r\n\x1a\n\0\0", "PNG"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        ("summary\n".encode("utf-32"), "UTF-32"),
        (b"summary\n\x00\x00\x00binary\x00\x01\x02\x03", "not look like text"),
        (b"\x01\x02\x03\x04 summary \x05\x06", "not look like text"),
    ],
)
def test_binary_files_are_named_with_a_remedy(head: bytes, word: str) -> None:
    with pytest.raises(NotText, match=word) as caught:
        detect_encoding(head, complete=True)
    assert caught.value.code == "NOT_TEXT"
    assert any(remedy in str(caught.value) for remedy in ("save it as", "unpack", "export"))
