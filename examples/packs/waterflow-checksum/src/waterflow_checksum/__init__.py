"""Waterflow nodes that make and check checksums of files."""

from ._check import Check
from ._make import Make

__all__ = ["Check", "Make"]
