"""Cleaning of titles and summaries."""
