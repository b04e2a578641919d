"""Packs of nodes to begin with: templates, and the writing of them."""

from __future__ import annotations

from ._write import LANGUAGES, write_pack

__all__ = ["LANGUAGES", "write_pack"]
