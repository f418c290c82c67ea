"""Generators of hostile catalogues, some with the expected outcome."""

from __future__ import annotations

import random
from enum import Enum


class Expected(Enum):
    """The expected outcome of an upload."""

    REFUSED = "refused"
    ACCEPTED = "accepted"
    EITHER = "either"


_MAX_COLUMNS = 2_000  # as documented
_TEXT = "a murder in the old castle dragons love and war ghost of london space poisonword nanword"
_WORDS = _TEXT.split()
_DICTIONARY = (
    b'"', b'""', b'"""', b",", b";", b"\t", b"|", b"\r", b"\n", b"\r\n", b"\n\r", b"\0", b"\x1a",
    b"\x0b\x0c",
    b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xed\xa0\x80", b"\xed\xb0\x80",
    b"\xf4\x90\x80\x80", b"\xc0\x80",
    b"\xc2\x85", b"\xe2\x80\xa8", b"\x80", b"\xff", b"\x81", b"=1+1", b"@SUM(A1)", b"\\", b"'",
    b",,,,,,,,", b'","',
    b'\n"', b'"\n', b" ", b"\xc2\xa0", b"sep=;\n", b"NULL", b"\x00\x00\x00",
)  # fmt: skip


def _text(random_: random.Random, most: int = 12) -> str:
    return " ".join(random_.choices(_WORDS, k=random_.randint(1, most)))


def _lines(random_: random.Random, rows: int, d: str = ",") -> list[str]:
    return [f"{n}{d}Book {n}{d}{_text(random_)}" for n in range(rows)]


def plain(random_: random.Random) -> tuple[bytes, Expected]:
    d = random_.choice(",;\t|")
    lines = [d.join(("id", "title", "summary")), *_lines(random_, random_.randint(1, 60), d)]
    return (random_.choice(("\n", "\r\n", "\r")).join(lines)).encode(), Expected.ACCEPTED


def broken_quotes(random_: random.Random) -> bytes:
    lines = ["id,title,summary"]
    for n in range(random_.randint(1, 40)):
        cell = random_.choice(
            ('"open', '"closed"', '"clo""sed"', 'mid"dle', '"closed"tail', '"', '""', '"""',
             "plain",
             '"two\nlines"', '"two\r\nlines', 'a"b"c', ' "space first"', '"x" "y"')
        )  # fmt: skip
        lines.append(f"{n},{cell},{_text(random_)}")
    return "\n".join(lines).encode() + random_.choice((b"", b"\n", b'\n"'))


def nuls(random_: random.Random) -> bytes:
    content = bytearray(plain(random_)[0])
    far = random_.random() < 0.3  # after the part that is checked for binary content
    if far:
        content += "\n".join(_lines(random_, 2500)).encode()
    for _ in range(random_.randint(1, 5)):
        content.insert(random_.randrange(70_000 if far else 0, len(content)), 0)
    return bytes(content)


def surrogates(random_: random.Random) -> bytes:
    content = plain(random_)[0]
    for _ in range(random_.randint(1, 6)):
        at = random_.randrange(30, len(content))
        inserted = random_.choice((b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xff", b"\xc3"))
        content = content[:at] + inserted + content[at:]
    return content


def huge_cells(random_: random.Random) -> tuple[bytes, Expected]:
    size = random_.choice((99_999, 100_001, 1_000_000, 1_500_000))
    cell = random_.choice(("x" * size, "word " * (size // 5), '"' + "line\n" * (size // 5) + '"'))
    return f"id,summary\n1,a murder\n2,{cell}\n3,a ghost\n".encode(), Expected.ACCEPTED


def long_records(random_: random.Random) -> bytes:
    size = random_.choice((4_194_290, 4_194_304, 4_300_000))
    quoted = '"' + "line\n" * (size // 5) + '"'
    return f"id,summary\n1,{random_.choice(('x' * size, quoted))}\n2,a ghost\n".encode()


def many_columns(random_: random.Random) -> tuple[bytes, Expected]:
    columns = random_.choice((1000, 1999, 2000, 10_000, 40_000))  # before the summary
    names = ",".join(f"c{n}" for n in range(columns))
    row = "," * columns + _text(random_)
    content = f"{names},summary\n{row}\n{row},\n{row},extra\nshort\n".encode()
    return content, Expected.ACCEPTED if columns < _MAX_COLUMNS else Expected.REFUSED


def many_cells(random_: random.Random) -> tuple[bytes, Expected]:
    """A row with far more cells than the header, of a kind that is expensive to parse."""
    cell = random_.choice(('""', '"a"', '"a""b"', '"two\nlines"', "a", "", 'a"b'))
    cells = ",".join([cell] * random_.choice((10_000, 30_000, 60_000)))
    return (
        f"id,summary\n1,a murder\n2,{_text(random_)},{cells}\n3,a ghost\n".encode(),
        Expected.ACCEPTED,
    )


def equal_names(random_: random.Random) -> tuple[bytes, Expected]:
    """A header with equal names, which have to become different keys in exports."""
    name = random_.choice(("a", "", "predicted_genre", "extra_cells", "a_2"))
    count = random_.choice((50, 1990))
    names = [random_.choice((name, name, f"{name}_{n}")) for n in range(count)]
    row = ",".join([_text(random_), *["x"] * count])
    return f"summary,{','.join(names)}\n{row}\n{row}\n".encode(), Expected.ACCEPTED


def ragged(random_: random.Random) -> tuple[bytes, Expected]:
    lines = ["id,title,summary,price"]
    for n in range(random_.randint(1, 40)):
        cells = [str(n), "t", _text(random_), "1", "", "", "extra"][: random_.randint(1, 7)]
        lines.append(",".join(cells))
    return "\n".join(lines).encode(), Expected.ACCEPTED


def line_ends(random_: random.Random) -> bytes:
    ends = ("\n", "\r\n", "\r", "\n\r", "\r\r\n", "\n\n\n", "\u2028", "\x85", "\x0b", "\x0c")
    lines = ["id,title,summary", *_lines(random_, random_.randint(2, 30))]
    return "".join(line + random_.choice(ends) for line in lines).encode()


def utf_16(random_: random.Random) -> bytes:
    name, bom = random_.choice((("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")))
    content = bytearray(random_.choice((b"", bom)) + plain(random_)[0].decode().encode(name))
    for _ in range(random_.randint(0, 3)):  # lone halves of surrogate pairs
        at = random_.randrange(len(content) // 2) * 2
        half = random_.choice(("\ud800", "\udc00")).encode(name, "surrogatepass")
        content[at:at] = half
    return bytes(content[: len(content) - random_.choice((0, 0, 1))])


def formulas(random_: random.Random) -> tuple[bytes, Expected]:
    starts = ("=", "+", "-", "@", "\t=", '"=', '"\r=')
    lines = ["id,title,summary"]
    for n in range(random_.randint(1, 30)):
        start = random_.choice(starts)
        cell = f"{start}HYPERLINK(A{n})" + ('"' if '"' in start else "")
        lines.append(f"{n},{cell},{random_.choice((cell, _text(random_)))}")
    return "\n".join(lines).encode(), Expected.ACCEPTED


def headers(random_: random.Random) -> bytes:
    names = (
        "summary", "Summary", "SUMMARY ", "description", "id", "", " ", "predicted_genre",
        "row_error", "confidence", "confidence_2", '"quo""ted"', '"two\nlines"', "ж", "=1",
        "\ufeffsummary", "blurb",
    )  # fmt: skip
    header = ",".join(random_.choices(names, k=random_.randint(1, 12)))
    row = ",".join([_text(random_)] * (header.count(",") + 1))
    return f"{header}\n{row}\n{row}\n".encode()


def bom_inside(random_: random.Random) -> bytes:
    content = plain(random_)[0]
    for _ in range(random_.randint(1, 4)):
        at = random_.randrange(len(content))
        content = content[:at] + b"\xef\xbb\xbf" + content[at:]
    return random_.choice((b"", b"\xef\xbb\xbf")) + content


def only_header(random_: random.Random) -> tuple[bytes, Expected]:
    end = random_.choice(("", "\n", "\r\n", "\n" * 50, "\r" * 9))
    return f"id,title,summary{end}".encode(), Expected.REFUSED


def empty_lines(random_: random.Random) -> bytes:
    number = random_.choices((300, 20_000, 1_000_000), (20, 8, 1))[0]
    blank = random_.choice((b"\n", b"\r\n", b"\r"))
    rows = random_.choice((b"", b"1,a murder\n", b'2,"a\n\n\nghost"\n'))
    return b"id,summary\n" + rows + blank * number + rows


def nothing(random_: random.Random) -> tuple[bytes, Expected]:
    content = random_.choice(
        (b"", b"\n", b" ", b"\xef\xbb\xbf", b"\xff\xfe", b"\r\n\t" * 99, b"\0", b",")
    )
    return content, Expected.REFUSED


def noise(random_: random.Random) -> bytes:
    size = random_.choice((1, 17, 300, 5000))
    if random_.random() < 0.5:
        return random_.randbytes(size)
    return b"summary\n" + bytes(random_.choices(b'"\r\n,;\t ab\\', k=size))


def mutated(random_: random.Random) -> bytes:
    content = random_.choice(
        (plain(random_)[0], broken_quotes(random_), ragged(random_)[0], utf_16(random_))
    )
    for _ in range(random_.randint(1, 12)):
        at, token = random_.randrange(len(content) + 1), random_.choice(_DICTIONARY)
        content = content[:at] + token + content[at + random_.choice((0, 0, 1, len(token))) :]
    return content[: random_.randint(1, len(content))] if random_.random() < 0.2 else content


def soup(random_: random.Random) -> bytes:
    alphabet = "aé漢🧨\u202e\u0301\u200d\ufeff\u0000\u001f\u007f\ufffe ,\"\n'=\u3000"
    cells = ["".join(random_.choices(alphabet, k=random_.randint(0, 60))) for _ in range(20)]
    encoding = random_.choice(("utf-8", "utf-8", "cp1252", "utf-16"))
    lines = "\n".join(f"{n},{c}" for n, c in enumerate(cells))
    return f"id,summary\n{lines}".encode(encoding, "replace")


def separators(random_: random.Random) -> bytes:
    d = random_.choice(",;|\t:!^~")
    lines = [f"id{d}summary", *(f"{n}{d}{_text(random_)}{d}" for n in range(5))]
    first = random_.choice((f"sep={d}", f'"sep={d}"', f"SEP={d} ", f"sep={d}x"))
    return (first + random_.choice(("\n", "\r\n")) + "\n".join(lines)).encode()
