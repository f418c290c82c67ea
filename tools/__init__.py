"""Generators of documentation and of committed code."""
