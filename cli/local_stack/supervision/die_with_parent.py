"""Replaces itself with another program, which gets SIGTERM when its parent process dies.

    python -I -S die_with_parent.py PARENT_PID PROGRAM [ARGUMENT ...]

A supervisor that is killed with SIGKILL cannot stop its children. On Linux a process can request a
signal at its parent's death (prctl, PR_SET_PDEATHSIG); the request survives exec. A separate
program makes the request, because code between fork and exec is not safe in a process with threads.
The kernel watches the *thread* that started the child: it must live as long as the children.

Other systems have no such signal. There the children inherit the lock of the data folder, so no
second stack starts while one of them lives.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_CANNOT_RUN = 127  # as in a shell


def main(arguments: list[str]) -> int:
    """Does not return unless the program cannot be run, or the parent is dead already."""
    parent, program = int(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
            print(f"prctl: {os.strerror(ctypes.get_errno())}", file=sys.stderr)
    if os.getppid() != parent:  # it died before the kernel was asked
        return 128 + signal.SIGTERM
    try:
        os.execvp(program[0], program)
    except OSError as error:
        print(f"{program[0]} cannot be run: {error.strerror}", file=sys.stderr)
        return _CANNOT_RUN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
