"""What another user gets to see of the agent's directories. Lists of access are real; who may is read from them."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from waterflow_agent._confinement import _acl
from waterflow_agent._confinement._sharing import close_to_others, let_through, share, share_once

USER = 54321
BITS = (("r", 4), ("w", 2), ("x", 1))
TAGS = {0x01: "owner", 0x02: "user", 0x04: "group", 0x10: "mask", 0x20: "other"}


def shown(path: Path, name: str = _acl.ACCESS) -> dict[str, str]:
    """The list of a file in words; empty without one."""
    try:
        data = os.getxattr(path, name)
    except OSError:
        return {}
    found: dict[str, str] = {}
    for tag, permissions, who in struct.iter_unpack("<HHI", data[4:]):
        who_it_is = f"user:{who}" if TAGS[tag] == "user" else TAGS[tag]
        found[who_it_is] = "".join(letter if permissions & bit else "-" for letter, bit in BITS)
    return found


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir(mode=0o700)
    try:
        let_through([made], USER)
    except OSError as error:
        pytest.skip(f"the file system of {tmp_path} keeps no lists of access: {error.strerror}")
    return made


class TestWay:
    def test_the_user_may_pass_and_not_look(self, place: Path) -> None:
        assert shown(place) == {"owner": "rwx", f"user:{USER}": "--x", "group": "---", "mask": "--x", "other": "---"}

    def test_what_a_change_of_the_mode_took_is_given_again(self, place: Path) -> None:
        place.chmod(0o700)
        assert shown(place)["mask"] == "---"
        let_through([place], USER)
        assert shown(place)["mask"] == "--x"

    def test_what_lies_beside_is_closed(self, place: Path) -> None:
        (place / "logs").mkdir(mode=0o755)
        (place / "id").write_text("x")
        (place / "id").chmod(0o644)
        close_to_others(place)
        assert [oct((place / name).stat().st_mode & 0o777) for name in ("logs", "id")] == ["0o750", "0o640"]

    def test_where_everybody_gets_nothing_is_changed(self, place: Path) -> None:
        (place / "logs").mkdir(mode=0o755)
        place.chmod(0o711)
        close_to_others(place)
        assert oct((place / "logs").stat().st_mode & 0o777) == "0o755"


class TestWhole:
    def test_files_and_directories_now_and_later(self, place: Path) -> None:
        tree = place / "tree"
        tree.mkdir()
        (tree / "data").write_text("x")
        (tree / "tool").write_text("x")
        (tree / "tool").chmod(0o700)
        share(place, USER)
        (tree / "later").write_text("x")
        (tree / "below").mkdir()
        assert [shown(tree / name)[f"user:{USER}"] for name in ("data", "tool")] == ["rw-", "rwx"]
        later = shown(tree / "later")
        assert later[f"user:{USER}"] == "rwx"
        assert later["mask"] == "rw-"
        assert shown(tree / "below", _acl.DEFAULT)[f"user:{USER}"] == "rwx"
        assert shown(tree, _acl.DEFAULT)[f"user:{os.geteuid()}"] == "rwx"

    def test_what_a_link_leads_to_is_left_alone(self, place: Path, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "secret").write_text("x")
        (place / "link").symlink_to(tmp_path / "elsewhere" / "secret")
        (place / "directory").symlink_to(tmp_path / "elsewhere")
        share(place, USER)
        assert shown(tmp_path / "elsewhere" / "secret") == shown(tmp_path / "elsewhere") == {}

    def test_a_file_with_a_second_name_is_left_alone(self, place: Path, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("x")
        (place / "second").hardlink_to(tmp_path / "secret")
        share(place, USER)
        assert shown(tmp_path / "secret") == {}

    def test_once_is_enough(self, place: Path) -> None:
        share_once(place, USER)
        (place / "private").write_text("x")
        (place / "private").chmod(0o600)
        share_once(place, USER)
        assert shown(place / "private")["mask"] == "---"
