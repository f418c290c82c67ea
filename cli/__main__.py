"""`python -m cli` is `spinelabel`."""

from cli.main import main

main()
