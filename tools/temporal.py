"""Prints the path of a usable Temporal CLI, fetching one when there is none; progress goes to stderr."""

import asyncio
import sys

from waterflow_server.dev import TemporalNotFound, TemporalSettings, find_temporal


def report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    try:
        binary = asyncio.run(find_temporal(TemporalSettings.from_environ(), report))
    except TemporalNotFound as error:
        report(str(error))
        return 1
    print(binary.path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
