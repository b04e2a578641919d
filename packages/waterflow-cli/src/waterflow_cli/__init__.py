"""The ``waterflow`` command. ``main(argv)`` runs it and gives its exit code; the codes are :class:`ExitCode`."""

from ._exit_codes import ExitCode
from ._main import main

__all__ = ["ExitCode", "main"]
