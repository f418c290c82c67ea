"""The local stack: all processes of a server on one machine."""
