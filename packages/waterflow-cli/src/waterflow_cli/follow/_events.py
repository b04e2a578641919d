"""What event records of a log say, in words."""

from __future__ import annotations

from waterflow_sdk.wire import LogEventKind, LogLine, State

from .._format import mark


def words(line: LogLine, name: str) -> tuple[str, str] | None:
    """Text and colour of an event, or None for one that is not for people."""
    data = line.data
    match line.event:
        case LogEventKind.STEP_STARTED:
            attempt = f" (attempt {line.attempt})" if line.attempt > 1 else ""
            whose = f" as {data['run_as']}" if data.get("run_as") else ""
            return f"▶ {name}{whose}{attempt}", "bold"
        case LogEventKind.STEP_ENDED:
            return _ended(name, str(data.get("state", "")), data.get("exit_code"))
        case LogEventKind.PROGRESS:
            return _progress(line), ""
        case LogEventKind.END_GROUP:
            return None
        case LogEventKind.GROUP:
            return f"┌ {line.text}", "bold"
        case LogEventKind.ERROR | LogEventKind.WARNING | LogEventKind.NOTICE:
            colours = {LogEventKind.ERROR: "red", LogEventKind.WARNING: "yellow", LogEventKind.NOTICE: "cyan"}
            return f"{line.event.value}: {_place(line)}{line.text}", colours[line.event]
        case None:
            return line.text, ""


def _ended(name: str, state: str, exit_code: object) -> tuple[str, str]:
    failed = state in {State.FAILED, State.TIMED_OUT}
    code = f" (exit code {exit_code})" if exit_code not in (None, 0) else ""
    sign = mark(State(state)) if state in {each.value for each in State} else "·"
    return f"{sign} {name}: {state}{code}", "red" if failed else "green" if state == State.SUCCESS else "yellow"


def _progress(line: LogLine) -> str:
    percent = line.data.get("percent")
    share = f"{percent:g} %" if isinstance(percent, int | float) else ""
    return "… " + ": ".join(part for part in (share, line.text) if part)


def _place(line: LogLine) -> str:
    file, number = line.data.get("file"), line.data.get("line")
    if not file:
        return ""
    return f"{file}:{number}: " if number else f"{file}: "
