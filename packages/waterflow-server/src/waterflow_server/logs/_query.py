"""Which lines of a run's log are wanted."""

from __future__ import annotations

from datetime import datetime

import msgspec

from waterflow_sdk.wire import LogRecord, LogStreamKind, StreamName


class LogQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of a log; all that are given must hold.

    - ``job``: a job's id (all its instances, and jobs of a workflow that it calls) or one instance, ``deploy[web-01]``
    - ``steps``: job (its id or one instance; empty: any) and path of steps; a block's path means all steps in it; empty
      means all
    - ``host``: id or name of the agent that sent the lines
    - ``attempt``: number of the attempt
    - ``streams``: any of stdout, stderr, event; empty means all
    - ``since``: lines not older than this
    - ``only``: full names of the streams that are looked at; None means all
    - ``search``: text that the line holds, regardless of case
    """

    job: str | None = None
    steps: frozenset[tuple[str, str]] = frozenset()
    host: str | None = None
    attempt: int | None = None
    streams: frozenset[LogStreamKind] = frozenset()
    since: datetime | None = None
    search: str | None = None
    only: frozenset[str] | None = None

    def wants_stream(self, stream: StreamName) -> bool:
        """Whether lines of this stream can match; the host is not known by the stream's name."""
        return (
            (self.job is None or stream.job == self.job or stream.job.startswith((f"{self.job}[", f"{self.job}/")))
            and (not self.steps or within(stream.job, stream.step, self.steps))
            and (self.attempt is None or stream.attempt == self.attempt)
            and (self.only is None or str(stream) in self.only)
        )

    def wants_host(self, agent: str) -> bool:
        """Whether lines from this agent can match."""
        return self.host is None or agent == self.host

    def wants_record(self, record: LogRecord) -> bool:
        """Whether the record itself matches."""
        return (
            (not self.streams or record.stream in self.streams)
            and (self.since is None or record.time >= self.since)
            and (self.search is None or self.search.casefold() in record.text.casefold())
        )


def within(job: str, step: str, wanted: frozenset[tuple[str, str]]) -> bool:
    """Whether a step is one of the wanted ones, or in a block that is: ``(job, path)``, as in :class:`LogQuery`."""
    parts = step.split(".")
    paths = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
    jobs = ("", job, job.partition("[")[0])
    return any((name, path) in wanted for name in jobs for path in paths)


ALL = LogQuery()
"""Every line."""
