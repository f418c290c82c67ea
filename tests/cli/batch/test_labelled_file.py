"""The client's copy of the result format matches the server's."""

from __future__ import annotations

from catalogue.labelled.labels import OptionalColumns, added_columns
from cli.batch import labelled_file


def test_the_added_columns_are_those_that_the_server_adds() -> None:
    columns = (*labelled_file.LABEL_COLUMNS, *labelled_file.OPTIONAL_COLUMNS)
    assert columns == added_columns(OptionalColumns(alternatives=1, evidence=True))
