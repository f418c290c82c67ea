"""The schema of a catalogue of one column, for tests that need some schema."""

from __future__ import annotations

from catalogue.parsing.schema import inspect_head

SCHEMA = inspect_head(b"summary\nwords\n", complete=True)
