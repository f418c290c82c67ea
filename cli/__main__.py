"""`python -m cli` is `spinelabel`."""

from .main import main

main()
