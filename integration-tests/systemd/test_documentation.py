"""The table of settings in `docs/agents.md` has every one with all its spellings."""

from __future__ import annotations

from pathlib import Path

from waterflow_agent._settings import SETTINGS


def rows() -> list[str]:
    """The table, as it has to be."""
    found = ["| flag | environment | `agent.yaml` | |", "|---|---|---|---|"]
    for setting in SETTINGS:
        flag = f"`--{setting.flag}`" if setting.flag else ""
        env, keys = (", ".join(f"`{name}`" for name in names) for names in (setting.env, setting.keys))
        found.append(f"| {flag} | {env} | {keys} | {setting.help} |")
    return found


class TestSettings:
    def test_are_documented_in_every_spelling(self, repository: Path):
        documented = [line for line in (repository / "docs/agents.md").read_text().splitlines() if line[:1] == "|"]
        assert documented == rows()
