"""Cron expressions as Temporal gets them."""

from __future__ import annotations

import pytest

from waterflow_server.definitions import check_fires, cron_lines


class TestFires:
    @pytest.mark.parametrize(
        "cron",
        [
            "@daily",
            "0 2 * * *",
            "0 0 31 * *",
            "0 0 29 2 *",
            "0 0 30 1-3 *",
            "0 0 30 2 1",
            "0 0 1,31 2 *",
            "0 0 */30 2 *",
        ],
    )
    def test_at_some_time(self, cron: str) -> None:
        assert check_fires(cron) is None

    @pytest.mark.parametrize(
        ("cron", "day"),
        [("0 0 30 2 *", 30), ("0 0 31 feb,apr,jun *", 31), ("0 0 31 9/2 *", 31)],
    )
    def test_never(self, cron: str, day: int) -> None:
        assert check_fires(cron) == f"`{cron}` never fires: no month that it names has a day {day}"


class TestLines:
    @pytest.mark.parametrize(
        ("cron", "lines"),
        [
            ("@weekly", ["@weekly"]),
            ("0 2 * * *", ["0 2 * * *"]),
            ("0 0 13 * 5", ["0 0 13 * *", "0 0 * * 5"]),
            ("0 0 */2 * 5", ["0 0 */2 * 5"]),
            ("0 0 * * 7", ["0 0 * * 0"]),
            ("0 0 * * 5-7", ["0 0 * * 0,5,6"]),
            ("0 0 * * sun,7", ["0 0 * * sun,0"]),
            ("0 0 * * */7", ["0 0 * * */7"]),
        ],
    )
    def test_for_temporal(self, cron: str, lines: list[str]) -> None:
        assert cron_lines(cron) == lines
