"""Uploads, follows and downloads several catalogues."""
