"""Diagnostics for people and for tools."""

from waterflow_dsl._render._annotations import render_github
from waterflow_dsl._render._json import render_json
from waterflow_dsl._render._sarif import render_sarif
from waterflow_dsl._render._text import render_text

__all__ = ["render_github", "render_json", "render_sarif", "render_text"]
