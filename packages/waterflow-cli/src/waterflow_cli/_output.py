"""Data on stdout: as a table, as JSON or as YAML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ._console import clean, make_console

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Cell = str | tuple[str, str]
"""Text, or text and its style."""


def write_data(value: Any, format: str) -> bool:
    """Write ``value`` as JSON or YAML; False when the format is another."""
    if format == "json":
        _write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
    elif format == "yaml":
        _write(msgspec.yaml.encode(value).decode())
    else:
        return False
    return True


def _write(text: str) -> None:
    import click

    click.echo(text.rstrip("\n"))


def make_table(headers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Table:
    """A table without lines, its columns under plain headers."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0), show_header=any(headers))
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        cells = (cell if isinstance(cell, tuple) else (cell, "") for cell in row)
        table.add_row(*(Text(clean(text, colour=False), style) for text, style in cells))
    return table


def write_table(headers: Sequence[str], rows: Iterable[Sequence[Cell]], empty: str) -> None:
    """Write a table; where there are no rows, say so instead."""
    import click

    rows = list(rows)
    if not rows:
        click.echo(empty, err=True)
        return
    print_table(make_console(), make_table(headers, rows))


def print_table(console: Console, table: Table) -> None:
    """Write a table; without a terminal its lines do not end in the spaces that fill the last column."""
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as captured:
        console.print(table)
    console.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
