"""The tree of commands."""

from __future__ import annotations

import click

from ._groups import LazyGroup
from ._options import server_options, tls_options

_COMMANDS = {
    "run": ("commands.run:run", "Submit a workflow file and follow it to its end."),
    "submit": ("commands.submit:submit", "Submit a workflow file and return at once."),
    "validate": ("commands.validate:validate", "Check workflow files."),
    "plan": ("commands.plan:plan", "Show what a run of a workflow file would do now."),
    "dry-run": ("commands.dry_run:dry_run", "Do everything that a run does, but run no step."),
    "status": ("commands.status:status", "Show a run: jobs, hosts, steps."),
    "list": ("commands.list:list_runs", "List runs, newest first."),
    "logs": ("commands.logs:logs", "Show the log of a run, or follow it."),
    "watch": ("commands.watch:watch", "Show what happens in a run, event by event."),
    "cancel": ("commands.cancel:cancel", "Cancel a run."),
    "retry": ("commands.retry:retry", "Run again what failed, as a new run, and follow it."),
    "edit": ("commands.edit:edit", "Let a failed or paused run go on with a changed definition."),
    "pause": ("commands.pause:pause", "Pause a run: no new step starts."),
    "resume": ("commands.pause:resume", "Let a paused run go on."),
    "approve": ("commands.approve:approve", "Let a step go on that waits for approval."),
    "reject": ("commands.approve:reject", "Fail a step that waits for approval."),
    "event": ("commands.event:event", "Send a named event to a run."),
    "node": ("commands.node:node", "Nodes that steps can use."),
    "agent": ("commands.agent:agent", "Agents: the hosts that run steps."),
    "apply": ("commands.apply:apply", "Keep a workflow file on the server as a definition."),
    "definition": ("commands.definition:definition", "Workflows that the server keeps, version by version."),
    "schedule": ("commands.schedule:schedule", "When stored workflows run by themselves."),
    "group": ("commands.group:group", "Groups of agents: what `runs-on` names."),
    "key": ("commands.key:key", "API keys of the server: who may do what."),
    "schema": ("commands.schema:schema", "Print the JSON Schema of workflow files."),
    "version": ("commands.version:version", "Show the versions of the command and of the server."),
    "completion": ("commands.completion:completion", "Print the completion script for a shell."),
}


@click.group(
    cls=LazyGroup,
    lazy=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=False,
    invoke_without_command=True,
)
@click.version_option(package_name="waterflow-cli", prog_name="waterflow", message="%(prog)s %(version)s")
@server_options
@tls_options
@click.pass_context
def root(ctx: click.Context) -> None:
    """Durable workflows on many servers.

    A server is named by --server or WATERFLOW_SERVER; `waterflow run FILE --local` needs none.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
