"""Composition root: `python -m api` serves HTTP until SIGTERM or Ctrl-C."""

from __future__ import annotations

import sys

from pydantic import ValidationError

from api.auth.audit import write_audit_to_stderr
from api.server.application import Server
from api.server.listening import CannotListen, listen
from api.settings import ApiSettings
from jobs.logs.setup import configure_logging


def main() -> int:
    """Run the server. Exit status 2 for an invalid setting, 1 if the address cannot be used."""
    try:
        settings = ApiSettings()
    except ValidationError as error:
        for problem in error.errors():
            name = "SPINELABEL_" + "_".join(str(part) for part in problem["loc"]).upper()
            # The value is not printed: the URL of Redis may contain a password.
            print(f"{name}: {problem['msg']}.", file=sys.stderr)
        return 2
    configure_logging(settings.log_format)
    write_audit_to_stderr()
    try:
        listener = listen(settings.api_host, settings.api_port)
    except CannotListen as error:
        print(error, file=sys.stderr)
        return 1
    Server(settings, listener).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
