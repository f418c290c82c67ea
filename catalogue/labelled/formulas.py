"""Detects cells that a spreadsheet may run as a formula."""

# The list of OWASP: ASCII signs, their full-width and small forms, tab, CR and LF.
_SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\t\r\n"
_STARTS = tuple(_SIGNS)


def begins_as_formula(cell: str) -> bool:
    """Return whether the cell begins with a character that starts a formula in a spreadsheet."""
    return cell.startswith(_STARTS)
