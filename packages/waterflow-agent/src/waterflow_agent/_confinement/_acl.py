"""Access-control lists of files (acl(5)), in the form in which Linux keeps them (``linux/posix_acl_xattr.h``)."""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Mapping

ACCESS = "system.posix_acl_access"
DEFAULT = "system.posix_acl_default"

READ, WRITE, ENTER = 4, 2, 1
ALL = READ | WRITE | ENTER

_VERSION = 2
_OWNER, _USER, _GROUP, _NAMED_GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NOBODY = 0xFFFFFFFF
_ABSENT = frozenset({errno.ENODATA, errno.EOPNOTSUPP})

Entries = dict[tuple[int, int], int]
"""Permissions by tag and id."""


def grant(fd: int, uid: int, permissions: int) -> None:
    """Give a user permissions on an open file, beside those that others have. Raises OSError."""
    mode = os.fstat(fd).st_mode
    entries = _read(fd, ACCESS) or _of_mode(mode)
    had = entries.get((_USER, uid), 0)
    if had & permissions == permissions and entries.get((_MASK, _NOBODY), 0) & permissions == permissions:
        return
    entries[_USER, uid] = had | permissions
    _write(fd, ACCESS, entries)


def inherits(fd: int, uid: int) -> bool:
    """Whether what is made in a directory belongs to a user as well."""
    return (_USER, uid) in (_read(fd, DEFAULT) or {})


def grant_future(fd: int, users: Mapping[int, int]) -> None:
    """Give users permissions, by their ids, on whatever is made in a directory from now on. Raises OSError."""
    entries = _read(fd, DEFAULT) or {
        (_OWNER, _NOBODY): ALL,
        (_GROUP, _NOBODY): READ | ENTER,
        (_OTHER, _NOBODY): READ | ENTER,
    }
    for uid, permissions in users.items():
        entries[_USER, uid] = entries.get((_USER, uid), 0) | permissions
    _write(fd, DEFAULT, entries)


def _of_mode(mode: int) -> Entries:
    bits = stat.S_IMODE(mode)
    return {(_OWNER, _NOBODY): bits >> 6 & 7, (_GROUP, _NOBODY): bits >> 3 & 7, (_OTHER, _NOBODY): bits & 7}


def _read(fd: int, name: str) -> Entries | None:
    try:
        data = os.getxattr(fd, name)
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise
    items = struct.iter_unpack("<HHI", data[4:])
    return {(tag, who): permissions for tag, permissions, who in items}


def _write(fd: int, name: str, entries: Entries) -> None:
    """With the mask that lets all named users and groups have what they were given."""
    named = (permissions for (tag, _who), permissions in entries.items() if tag in (_USER, _GROUP, _NAMED_GROUP))
    mask = 0
    for permissions in named:
        mask |= permissions
    whole = {**entries, (_MASK, _NOBODY): mask}
    packed = [struct.pack("<HHI", tag, permissions, who) for (tag, who), permissions in sorted(whole.items())]
    os.setxattr(fd, name, struct.pack("<I", _VERSION) + b"".join(packed))
