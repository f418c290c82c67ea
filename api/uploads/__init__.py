"""Uploads: the file in a request, its options, the preview, and submission."""
