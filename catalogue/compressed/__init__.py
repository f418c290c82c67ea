"""Containers of catalogues: gzip, ZIP, Excel workbooks."""
