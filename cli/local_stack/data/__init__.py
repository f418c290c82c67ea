"""The data folder of a local stack: locks, sockets, Redis and its append-only file."""
