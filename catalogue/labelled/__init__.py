"""Labelled results: columns, writing, reading, corrections."""
