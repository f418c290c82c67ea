"""Does the API in this container answer? Exit status 0 if it does."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request

URL = "http://127.0.0.1:8000/healthz"

try:
    urllib.request.urlopen(URL, timeout=4).close()
except (OSError, urllib.error.URLError) as error:
    print(f"{URL}: {error}")
    sys.exit(1)
print("in order")
