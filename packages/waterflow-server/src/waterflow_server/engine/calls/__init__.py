"""Workflows that start other workflows: which ones a plan can reach, what a called one gets, and the call itself,
told what its caller is told and awaited to its end.
"""

from ._called import starts_others

__all__ = ["starts_others"]
