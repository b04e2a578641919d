"""``waterflow schema``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .._options import call, server_options
from .._output import write_data

if TYPE_CHECKING:
    from waterflow_dsl import Catalog
    from waterflow_sdk.client import AsyncClient


@click.command()
@click.option("--nodes", is_flag=True, help="With the nodes that the server knows: their names and their inputs.")
@server_options
def schema(nodes: bool) -> None:
    """Print the JSON Schema of workflow files, by which editors complete and check them.

    \b
    waterflow schema --nodes > waterflow.schema.json
    and in the first line of a workflow file:
    # yaml-language-server: $schema=waterflow.schema.json
    """
    from waterflow_dsl import workflow_schema

    write_data(workflow_schema(call(_catalog) if nodes else None), "json")


async def _catalog(client: AsyncClient) -> Catalog:
    import msgspec

    from waterflow_dsl import Catalog, NodeSignature

    manifests = [entry.manifest for entry in await client.nodes()]
    signatures = [NodeSignature.from_manifest(msgspec.to_builtins(manifest)) for manifest in manifests]
    return Catalog(nodes={each.name: each for each in signatures})
