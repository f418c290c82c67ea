"""Run once before the stack: Redis's password and the shipped model, each in its volume.

Doing it again changes nothing; a password that cannot be used stops the start with a sentence.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from deploy.setup.password import PasswordError, provide_password
from deploy.setup.shipped_model import publish_shipped

SECRETS = Path("/secrets")
PROVIDED = Path("/provided")
SHIPPED = Path("/shipped")
MODELS = Path("/models")


def main() -> int:
    """Exit status 1 when the stack must not start."""
    # Compose gives the variable an empty value where the operator has chosen no folder.
    chosen_folder = os.environ.get("SPINELABEL_SECRETS") or None
    try:
        print(provide_password(PROVIDED, SECRETS, chosen_folder=chosen_folder))
    except PasswordError as error:
        print(f"The stack does not start: {error}", file=sys.stderr)
        return 1
    for line in publish_shipped(SHIPPED, MODELS):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
