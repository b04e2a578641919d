"""`formatDate`: a moment as text, in English and without any locale, time zone data or clock."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from waterflow_dsl.expressions._coercion import kind_of, to_number, to_string
from waterflow_dsl.expressions._errors import RefusalError
from waterflow_dsl.expressions._frame import Frame

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

DIRECTIVES: Final[dict[str, Callable[[datetime], str]]] = {
    "Y": lambda moment: f"{moment.year:04}",
    "y": lambda moment: f"{moment.year % 100:02}",
    "m": lambda moment: f"{moment.month:02}",
    "d": lambda moment: f"{moment.day:02}",
    "j": lambda moment: f"{moment.timetuple().tm_yday:03}",
    "H": lambda moment: f"{moment.hour:02}",
    "I": lambda moment: f"{(moment.hour + 11) % 12 + 1:02}",
    "p": lambda moment: "AM" if moment.hour < 12 else "PM",
    "M": lambda moment: f"{moment.minute:02}",
    "S": lambda moment: f"{moment.second:02}",
    "f": lambda moment: f"{moment.microsecond:06}",
    "A": lambda moment: _DAYS[moment.weekday()],
    "a": lambda moment: _DAYS[moment.weekday()][:3],
    "B": lambda moment: _MONTHS[moment.month - 1],
    "b": lambda moment: _MONTHS[moment.month - 1][:3],
    "u": lambda moment: str(moment.isoweekday()),
    "V": lambda moment: f"{moment.isocalendar().week:02}",
    "F": lambda moment: f"{moment.year:04}-{moment.month:02}-{moment.day:02}",
    "T": lambda moment: f"{moment.hour:02}:{moment.minute:02}:{moment.second:02}",
    "s": lambda moment: str((moment - _EPOCH) // timedelta(seconds=1)),
    "z": lambda moment: _offset_text(moment),
    "%": lambda _moment: "%",
}
"""What stands behind each letter of a pattern, with the meaning it has in POSIX `date`."""


def format_date(frame: Frame, value: object, pattern: object = "%FT%T%z", offset: object = None) -> str:
    """A moment as text.

    Args:
        frame: the evaluation.
        value: ISO 8601 text (UTC when it names no offset) or seconds since 1970.
        pattern: text with directives of `DIRECTIVES`.
        offset: `Z`, `+08:00` and the like, to show the moment there; its own offset when null.

    Raises:
        RefusalError: a value that is no moment, an unknown directive or offset.
    """
    moment = _moment(value)
    if offset is not None:
        try:
            moment = moment.astimezone(_zone(to_string(offset)))
        except OverflowError:
            raise RefusalError(f"'{to_string(value)}' has no date at offset '{to_string(offset)}'") from None

    def directive(match: re.Match[str]) -> str:
        write = DIRECTIVES.get(match[1])
        if write is None:
            raise RefusalError(f"Unknown date directive '{match[0]}'; known are %{' %'.join(sorted(DIRECTIVES))}")
        return write(moment)

    text = _DIRECTIVE.sub(directive, to_string(pattern))
    frame.charge_text(len(text))
    return text


def _moment(value: object) -> datetime:
    try:
        if kind_of(value) == "number":
            seconds = to_number(value)
            if not math.isfinite(seconds):
                raise ValueError
            return _EPOCH + timedelta(seconds=seconds)
        moment = datetime.fromisoformat(to_string(value))
    except (ValueError, OverflowError):
        raise RefusalError(f"'{to_string(value)}' is not an ISO 8601 date or a number of seconds") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _zone(text: str) -> timezone:
    if text in ("Z", "UTC"):
        return UTC
    match = _OFFSET.fullmatch(text)
    minutes = int(match[2]) * 60 + int(match[3]) if match else 24 * 60
    if match is None or minutes >= 24 * 60:
        raise RefusalError(f"'{text}' is not an offset from UTC such as '+08:00' or 'Z'")
    return timezone(timedelta(minutes=minutes if match[1] == "+" else -minutes))


def _offset_text(moment: datetime) -> str:
    seconds = int((moment.utcoffset() or timedelta()).total_seconds())
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02}{minutes:02}"
