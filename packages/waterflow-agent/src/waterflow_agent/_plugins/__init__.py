"""Finding nodes while the agent runs: installed distributions, and files in the plug-in directory."""

from ._caution import Caution
from ._discovery import Discovery
from ._installed import GROUP, InstalledPacks

__all__ = ["GROUP", "Caution", "Discovery", "InstalledPacks"]
