"""A site of one's own for a test: a real Temporal, a real server and real agents, each a process that can be killed."""

from .site import Agent, Site

__all__ = ["Agent", "Site"]
