"""Catalogue files: formats, encodings, schemas, rows, text cleaning, labelled results and exports.

No network and no services: bytes and values in, bytes and values out.
"""
