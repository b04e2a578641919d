"""Every setting in every spelling: a good value counts, a bad one is told with its place, and both by the same rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from waterflow_agent._errors import SettingsError
from waterflow_agent._settings import SETTINGS, load
from waterflow_agent._settings import _parse as parse
from waterflow_agent._settings._table import Setting

VALUES: dict[Callable[..., Any], tuple[str, str]] = {
    parse.address: ("'t:1'", "'t:x'"),
    parse.agent_id: ("a", "[a]"),
    parse.count: ("7", "0"),
    parse.duration: ("5s", "soon"),
    parse.limit: ("5s", "0"),
    parse.pairs: ("{a: b}", "alone"),
    parse.path: ("/srv/x", "[a]"),
    parse.secret_patterns: ("['env:A']", "['what:A']"),
    parse.size: ("5MB", "large"),
    parse.switch: ("on", "perhaps"),
    parse.tags: ("[a, b=c]", "{a: [b]}"),
    parse.text: ("a", "[a]"),
    parse.web_address: ("'https://v:8200'", "'v:8200'"),
    parse.words: ("[a]", "[{a: b}]"),
}
CHOICES = {"log_level": ("debug", "loud"), "log_format": ("json", "xml")}
"""Good and bad values as they stand in ``agent.yaml``."""

NO_WRONG_TEXT = (parse.agent_id, parse.path, parse.text, parse.words, parse.tags)
"""Any printable text is good for these, so that a variable or a flag is only wrong when it is not printable."""

BAD_IN_FILE = [(setting, key) for setting in SETTINGS for key in setting.keys]
BAD_IN_ENVIRONMENT = [(setting, name) for setting in SETTINGS for name in setting.env]
FLAGS = [setting for setting in SETTINGS if setting.flag]


def values(setting: Setting) -> tuple[str, str]:
    return CHOICES.get(setting.field) or VALUES[setting.parse]


def plain(setting: Setting, *, good: bool) -> str:
    """The value for the environment or a flag."""
    if setting.parse is parse.pairs:
        return "a=b" if good else "alone"
    if setting.parse is parse.tags or setting.parse is parse.words:
        return "a" if good else "a\x01"
    if not good and setting.parse in NO_WRONG_TEXT:
        return "a\x01"
    return values(setting)[0 if good else 1].strip("[]'").strip("'")


def file_with(tmp_path: Path, key: str, value: str) -> Path:
    section, _, leaf = key.partition(".")
    file = tmp_path / "agent.yaml"
    file.write_text(f"# a comment\n{section}:\n  {leaf}: {value}\n")
    return file


class TestGood:
    @pytest.mark.parametrize(("setting", "key"), BAD_IN_FILE, ids=lambda each: each if isinstance(each, str) else "")
    def test_in_the_file(self, tmp_path: Path, setting: Setting, key: str) -> None:
        file = file_with(tmp_path, key, values(setting)[0])
        assert load(["--config", str(file)], {}).sources == {setting.field: f"{file}:3"}

    @pytest.mark.parametrize(("setting", "name"), BAD_IN_ENVIRONMENT, ids=lambda each: str(each)[:40])
    def test_in_the_environment(self, setting: Setting, name: str) -> None:
        assert load([], {name: plain(setting, good=True)}).sources == {setting.field: f"environment variable {name}"}

    @pytest.mark.parametrize("setting", FLAGS, ids=lambda each: each.flag)
    def test_as_a_flag(self, setting: Setting) -> None:
        words = [f"--{setting.flag}", plain(setting, good=True)]
        assert load(words, {}).sources == {setting.field: f"--{setting.flag}"}


class TestBad:
    @pytest.mark.parametrize(("setting", "key"), BAD_IN_FILE, ids=lambda each: each if isinstance(each, str) else "")
    def test_in_the_file_names_file_line_and_key(self, tmp_path: Path, setting: Setting, key: str) -> None:
        file = file_with(tmp_path, key, values(setting)[1])
        with pytest.raises(SettingsError) as raised:
            load(["--config", str(file)], {})
        assert raised.value.message.startswith(f"{file}:3: {key}: ")

    @pytest.mark.parametrize(("setting", "name"), BAD_IN_ENVIRONMENT, ids=lambda each: str(each)[:40])
    def test_in_the_environment_names_the_variable(self, setting: Setting, name: str) -> None:
        with pytest.raises(SettingsError) as raised:
            load([], {name: plain(setting, good=False)})
        assert raised.value.message.startswith(f"{name}: ")
        assert not setting.secret or "a\x01" not in raised.value.message

    @pytest.mark.parametrize("setting", FLAGS, ids=lambda each: each.flag)
    def test_as_a_flag_names_the_flag(self, setting: Setting) -> None:
        with pytest.raises(SettingsError) as raised:
            load([f"--{setting.flag}", plain(setting, good=False)], {})
        assert raised.value.message.startswith(f"--{setting.flag}: ")
