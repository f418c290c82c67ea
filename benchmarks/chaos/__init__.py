"""Fault injection on a local stack, with checks that no row is lost."""
