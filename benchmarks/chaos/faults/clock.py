"""A wall clock that can be moved for the processes of one stack.

A preloaded library adds an offset to the results of the C library's clock functions. It is compiled
on use; without a C compiler the fault is skipped. The model server keeps the true time, because
TensorFlow waits until points in wall-clock time with functions of the kernel, whose clock does not
move.
"""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

_SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long *seconds;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("CHAOS_CLOCK");
    if (path == NULL || getenv("SPINELABEL_SERVING_ADDRESS") != NULL) return;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    void *memory = mmap(NULL, sizeof *seconds, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (memory != MAP_FAILED) seconds = memory;
}

int clock_gettime(clockid_t id, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, id, now);
    int is_wall_clock = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
    if (!failed && seconds && is_wall_clock) now->tv_sec += *seconds;
    return failed;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *where) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (where != NULL) *where = precise.tv_sec;
    return precise.tv_sec;
}
"""


class Clock:
    """The clock of a stack that is started with `settings`."""

    def __init__(self, folder: Path) -> None:
        self.skipped: str | None = None  # why the clock cannot be moved
        self.offset_s = 0
        self._library = folder / "clock.so"
        self._file = folder / "clock"
        folder.mkdir(parents=True, exist_ok=True)
        self._file.write_bytes(struct.pack("q", 0))
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            self.skipped = "clock moved (there is no C compiler)"
            return
        command = [compiler, "-shared", "-fPIC", "-O1", "-x", "c", "-", "-o", str(self._library)]
        compiled = subprocess.run(
            command, input=_SOURCE, text=True, capture_output=True, check=False
        )
        if compiled.returncode:
            self.skipped = f"clock moved (compiler error: {compiled.stderr[-200:].strip()})"

    @property
    def settings(self) -> Mapping[str, str]:
        """Environment variables of the processes that use this clock."""
        if self.skipped:
            return {}
        return {"LD_PRELOAD": str(self._library), "CHAOS_CLOCK": str(self._file)}

    def move(self, seconds: int) -> None:
        """Set the offset of the clock for all processes, in seconds."""
        self.offset_s = seconds
        with self._file.open("r+b") as stream, mmap.mmap(stream.fileno(), 8) as memory:
            memory[:] = struct.pack("q", seconds)
