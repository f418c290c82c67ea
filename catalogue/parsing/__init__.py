"""Encoding, dialect, schema, records, rows and chunks of text catalogues."""
