"""Limits on catalogues, which bound the memory and time that an input can cost."""

MIB = 1024 * 1024

# Text
PROBE_BYTES = 256 * 1024
"""Bytes that are read to detect encoding, delimiter and columns."""
MAX_HEADER_BYTES = 64 * 1024
"""In UTF-8. The header is stored in the job record."""
MAX_COLUMNS = 2_000
"""Columns of a header, in every format. A row with more cells is malformed."""
MAX_RECORD_BYTES = 4 * MIB
"""Line end included."""
MAX_SUMMARY_CHARACTERS = 100_000
"""Before cleaning."""
MAX_GENRE_CHARACTERS = 64
"""Of a corrected genre."""

# Compressed files. Real catalogues compress to a third or a tenth.
MAX_RATIO = 100
"""Maximum ratio of decompressed to compressed size."""
RATIO_COUNTS_FROM = 64 * MIB
"""Decompressed size from which the ratio is checked."""
MAX_ZIP_MEMBERS = 1_000
MAX_ZIP_DIRECTORY_BYTES = MIB
"""Of a ZIP archive's central directory, which is read at once."""
MAX_SMALL_GZIP_MEMBERS = 1_000
"""Members of a gzip file, in addition to one per `GZIP_MEMBER_BYTES` of content."""
GZIP_MEMBER_BYTES = 1024

# Workbooks
PART_RATIO_COUNTS_FROM = 16 * MIB
"""As `RATIO_COUNTS_FROM`, per workbook part. Parsing XML is 100 times slower than inflating."""
MAX_PACKAGE_PART_BYTES = 16 * MIB
"""Of the parts for contents, relations, sheets and styles."""
MAX_SHARED_TEXT_BYTES = 256 * MIB
MAX_ELEMENT_BYTES = 4 * MIB
"""XML between the ends of two parsed elements, for instance two rows."""
MAX_TAG_BYTES = 256 * 1024
"""Of a tag or comment."""
MAX_ELEMENTS = 65_536
"""Descendants of one parsed element: 16,384 cells with their contents."""
MAX_DEPTH = 64
"""Nesting depth of elements."""
MAX_ROWS = 1_048_576
"""Excel's own limit."""
MAX_FORMATS = 65_536
"""Cell formats (Excel's own limit) and number formats."""
