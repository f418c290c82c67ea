"""Starts child processes, restarts those that die, and ends all of them."""
