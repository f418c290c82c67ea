"""The bounds of everything that a catalogue may be, so that no input costs more than they allow."""

MIB = 1024 * 1024

# Text
PROBE_BYTES = 256 * 1024
"""As much of a file as is looked at to find its encoding, its delimiter and its columns."""
MAX_HEADER_BYTES = 64 * 1024
"""The longest header as UTF-8: it is kept in the job's record."""
MAX_COLUMNS = 2_000
"""Columns of a header, in every format. A row may have more cells; it is in error then."""
MAX_RECORD_BYTES = 4 * MIB
"""The longest record, line end included."""
MAX_SUMMARY_CHARACTERS = 100_000
"""Before cleaning."""
MAX_GENRE_CHARACTERS = 64
"""Of a genre that a person gives."""

# Packed files. Real catalogues shrink to a third or a tenth.
MAX_RATIO = 100
"""How many times as large as packed a file may be."""
RATIO_COUNTS_FROM = 64 * MIB
"""Below this size the ratio does not matter."""
MAX_ZIP_MEMBERS = 1_000
MAX_ZIP_DIRECTORY_BYTES = MIB
"""Of a ZIP archive's table of contents, which is read whole."""
MAX_SMALL_GZIP_MEMBERS = 1_000
"""Members of a gzip file beyond one for each `GZIP_MEMBER_BYTES` that they hold."""
GZIP_MEMBER_BYTES = 1024

# Workbooks
PART_RATIO_COUNTS_FROM = 16 * MIB
"""As `RATIO_COUNTS_FROM`, for each part of a workbook: XML takes a hundred times as long to read as to unpack."""
MAX_PACKAGE_PART_BYTES = 16 * MIB
"""Of a part that describes the workbook: its contents, relations, sheets and styles."""
MAX_SHARED_TEXT_BYTES = 256 * MIB
MAX_ELEMENT_BYTES = 4 * MIB
"""XML between the ends of two elements that are read, for instance of two rows."""
MAX_TAG_BYTES = 256 * 1024
"""A tag or comment."""
MAX_ELEMENTS = 65_536
"""Elements within one that is read: 16,384 cells with their contents."""
MAX_DEPTH = 64
"""Elements within each other."""
MAX_ROWS = 1_048_576
"""Excel's own limit."""
MAX_FORMATS = 65_536
"""Cell formats, Excel's own limit, and number formats."""
