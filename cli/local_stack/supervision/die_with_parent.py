"""Become another program, which gets SIGTERM when the process that started it dies.

    python -I -S die_with_parent.py PARENT_PID PROGRAM [ARGUMENT ...]

A supervisor that is killed with SIGKILL cannot end its children. Linux can do it in its place: a
process may ask for a signal at its parent's death (prctl, PR_SET_PDEATHSIG), and keeps that request
over exec. Asking from a small program of its own, instead of between fork and exec, keeps the
supervisor free to use threads. The kernel means the *thread* that started the child: a supervisor
has to live as long as its children on the thread on which it starts them.

On other systems the program runs without that protection; the data folder's lock, which the
children inherit, then still keeps a second stack away for as long as one of them lives.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_CANNOT_RUN = 127  # what a shell answers


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
