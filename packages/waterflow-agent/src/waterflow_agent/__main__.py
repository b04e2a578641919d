"""``python -m waterflow_agent``."""

from .commands import console

console()
