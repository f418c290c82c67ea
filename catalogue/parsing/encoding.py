"""Detects the encoding of a catalogue and decodes it.

Decoding never fails:

- UTF-8: an invalid byte becomes a lone surrogate (``surrogateescape``) and is written to the result
  as the same byte.
- cp1252: as in browsers; the five undefined bytes become the control characters of the same number.
- UTF-16: half a surrogate pair becomes U+FFFD; half a code unit at the end of the file is ignored.
"""

import codecs
from enum import StrEnum

from catalogue.errors import NotText
from catalogue.parsing.file_types import detect_binary_type


class Encoding(StrEnum):
    """The encodings that are detected."""

    UTF_8 = "utf-8"
    UTF_16_LE = "utf-16-le"
    UTF_16_BE = "utf-16-be"
    CP1252 = "cp1252"

    @property
    def unit(self) -> int:
        """Bytes per code unit; ASCII characters are one unit in each encoding."""
        return 2 if self in (Encoding.UTF_16_LE, Encoding.UTF_16_BE) else 1


_BOMS = (
    (codecs.BOM_UTF8, Encoding.UTF_8),
    (codecs.BOM_UTF16_LE, Encoding.UTF_16_LE),
    (codecs.BOM_UTF16_BE, Encoding.UTF_16_BE),
)
_CP1252 = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256))
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b"))
_MAX_CONTROL_SHARE = 0.02
_SAMPLE = 64 * 1024


def decode(raw: bytes, encoding: Encoding) -> str:
    """Return `raw` as text; see the module for bytes that are invalid in `encoding`."""
    if encoding is Encoding.CP1252:
        return codecs.charmap_decode(raw, "strict", _CP1252)[0]
    if encoding is Encoding.UTF_8:
        return raw.decode("utf-8", "surrogateescape")
    return raw[: len(raw) // 2 * 2].decode(encoding, "replace")


def detect_encoding(head: bytes, *, complete: bool) -> tuple[Encoding, int]:
    """Return the encoding of a file that begins with `head`, and the length of its BOM in bytes.

    `complete`: whether `head` is the whole file; otherwise it may end inside a character.

    Raises:
        NotText: the bytes are not text in any of these encodings.
    """
    if (kind := detect_binary_type(head)) is not None:
        raise NotText(f"This looks like {kind.what}, not like a CSV file; {kind.action}.")
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding, len(bom)
    sample = head[:_SAMPLE]
    if b"\0" in sample:
        return _utf_16_without_bom(sample), 0
    if len(sample) - len(sample.translate(None, _CONTROLS)) > _MAX_CONTROL_SHARE * len(sample):
        raise _binary()
    return (Encoding.UTF_8 if _is_utf_8(head, complete=complete) else Encoding.CP1252), 0


def _binary() -> NotText:
    return NotText(
        "This does not look like text; export the catalogue as CSV (UTF-8) and send that file."
    )


def _utf_16_without_bom(sample: bytes) -> Encoding:
    """Detect the byte order: Latin letters have a zero in every other byte."""
    units = max(len(sample) // 2, 1)
    first, second = sample[0::2].count(0) / units, sample[1::2].count(0) / units
    if second > 0.4 and first < 0.05:
        return Encoding.UTF_16_LE
    if first > 0.4 and second < 0.05:
        return Encoding.UTF_16_BE
    raise _binary()


def _is_utf_8(head: bytes, *, complete: bool) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=complete)
    except UnicodeDecodeError:
        # Few invalid bytes among many valid letters are damage. In cp1252 text almost no letter is
        # valid UTF-8.
        text = head.decode("utf-8", "surrogateescape")
        broken = sum("\udc80" <= char <= "\udcff" for char in text)
        return sum(char > "\x7f" for char in text) - broken > broken
    return True
