"""Synchronous labelling of a few summaries."""
