"""The laptop stack: its processes, and how they are started, kept and ended."""
