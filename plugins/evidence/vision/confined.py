"""Become another program that has few rights and does not outlive who started it. Run by path, nothing is imported.

Arguments: process id of the parent, CPU seconds, bytes of memory, then the program's path and arguments. The bounds
are set here, in a process of its own, since what runs between fork and exec must not be Python of a larger process.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    parent, seconds, memory, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):  # gone before the line above
        sys.exit(1)
    for kind, most in (
        (resource.RLIMIT_CPU, int(seconds)),
        (resource.RLIMIT_AS, int(memory)),
        (resource.RLIMIT_FSIZE, 0),  # it writes to pipes alone
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
    ):
        resource.setrlimit(kind, (most, most))
    os.execv(command[0], command)  # noqa: S606 - the platform's own command, without a shell
