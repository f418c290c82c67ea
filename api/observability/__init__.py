"""Whether it lives, works, and how it goes, for people and for Prometheus."""
