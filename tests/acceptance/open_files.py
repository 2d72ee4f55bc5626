"""Thousands of sockets in the process that runs the tests."""

import resource


def allow_open_files(count: int) -> None:
    """Raise this process's own limit of open files, if it is lower."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
