"""A wall clock that a test sets for one process, and for all that is in it: Python and the core of Temporal's SDK."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long shift(void) {
    long seconds = 0;
    FILE *file = fopen(getenv("CLOCK_SHIFT_FILE"), "re");
    if (file) {
        if (fscanf(file, "%ld", &seconds) != 1) seconds = 0;
        fclose(file);
    }
    return seconds;
}

int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(id, now);
    if (!failed && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
    return failed;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *result, void *zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    result->tv_sec = now.tv_sec;
    result->tv_usec = now.tv_nsec / 1000;
    return 0;
}
"""


class Clock:
    """The wall clock of processes that are started with ``environ``; time itself passes for them as it does."""

    def __init__(self, root: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("a clock for one process alone needs a C compiler (cc)")
        (root / "clock.c").write_text(SOURCE)
        library, self._file = root / "clock.so", root / "shift"
        words = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(root / "clock.c"), "-ldl"]
        subprocess.run(words, check=True, capture_output=True)
        self.set(0)
        self.environ = {"LD_PRELOAD": str(library), "CLOCK_SHIFT_FILE": str(self._file)}

    def set(self, seconds: float) -> None:
        """The clock is ahead by so many seconds from now on."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:.0f}\n")
        new.replace(self._file)
