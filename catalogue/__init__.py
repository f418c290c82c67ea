"""Catalogue files: formats, encodings, schema detection, rows, text cleaning, labelled results, exports.

Pure: bytes and values in, bytes and values out. No network and no service.
"""
