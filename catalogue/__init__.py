"""What a catalogue file is: its dialect, its columns, its rows, its texts and its label columns.

Everything here is pure: bytes and values in, bytes and values out. No file, no service, no
setting is read. Nothing is imported by this file, so that a process pays only for the modules
that it names.
"""
