"""The class that a node is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from inspect import cleandoc
from typing import Any, ClassVar

from ..wire import INTERFACE_VERSION, NodeExample
from ._data import NodeInput, NodeOutput
from ._errors import IncompatibleNode, InvalidNode

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*){0,3}")
"""A node's name: ``shell``, ``slack/notify``. Lower case, up to four parts."""


class Node:
    """A kind of step. Subclass it, name it, declare ``Input`` and ``Output``, write ``execute``::

        class Notify(Node):
            \"\"\"Send a message to a Slack channel.\"\"\"

            name = "slack/notify"
            version = "1.0.0"

            class Input(NodeInput):
                webhook_url: Secret[str]
                message: str

            class Output(NodeOutput):
                status: str

            async def execute(self, ctx: NodeContext, inputs: Input) -> Output: ...

    One instance is made for each attempt, without arguments. ``execute`` may be a plain ``def``: it then runs in a
    thread and gets a :class:`SyncNodeContext`. A node without an inner ``Input`` gets its inputs as a plain dict, and
    may say by hand in ``input_schema`` what they are; the same for ``Output`` and ``output_schema``.
    """

    name: ClassVar[str]
    """Name in ``uses:``, such as ``slack/notify``."""
    version: ClassVar[str]
    """Semantic version of the node."""
    description: ClassVar[str] = ""
    """What it does; the docstring by default."""
    interface: ClassVar[str] = INTERFACE_VERSION
    """``major.minor`` of the node interface that the node was made for; other majors are refused."""
    capabilities: ClassVar[Sequence[str]] = ()
    """What the agent must have: ``docker``, ``node``, ``git``, …"""
    retry_safe: ClassVar[bool] = False
    """Whether running it again does no harm, so that a lost or failed attempt may be repeated without being asked."""
    resumable: ClassVar[bool] = False
    """Whether ``execute`` may be called again for the *same* attempt when the agent was killed and started again while
    its processes ran on. Its calls of ``run_process``, counted from the first, then get what those processes print
    from the beginning, and their ends, instead of starting them. So it has to do the same again: the same processes in
    the same order, with the same arguments, and nothing before them that harms when it is done twice."""
    confinable: ClassVar[bool] = False
    """Whether all that it does to the host is done by ``ctx.run_process``: only then a step may say ``run-as``."""
    examples: ClassVar[Sequence[NodeExample]] = ()
    """Steps that use the node, as YAML."""
    input_schema: ClassVar[Mapping[str, Any] | None] = None
    """JSON Schema (2020-12) of the inputs, for a node without an ``Input`` class."""
    output_schema: ClassVar[Mapping[str, Any] | None] = None
    """JSON Schema (2020-12) of the outputs, for a node without an ``Output`` class."""
    secret_inputs: ClassVar[Sequence[str]] = ()
    """Names of the inputs that hold secrets, for a node without an ``Input`` class."""

    def execute(self, ctx: Any, inputs: Any) -> Any:
        """Do the work. Raise a :class:`NodeError` if it cannot be done."""
        raise NotImplementedError(f"{type(self).__name__} has no execute method")


def label(node: type[Node]) -> str:
    """What messages call a node: its name, or the class when it has none."""
    return getattr(node, "name", None) or f"{node.__module__}.{node.__qualname__}"


def describe(node: type[Node]) -> str:
    """The node's description: ``description``, else its own docstring (never the one of :class:`Node`)."""
    return node.description or cleandoc(node.__dict__.get("__doc__") or "")


def input_type(node: type[Node]) -> type[NodeInput] | None:
    """The node's ``Input`` class, or None for one without types."""
    return getattr(node, "Input", None)


def output_type(node: type[Node]) -> type[NodeOutput] | None:
    """The node's ``Output`` class, or None for one without types."""
    return getattr(node, "Output", None)


def node_class(value: object) -> type[Node]:
    """The node behind an entry point's value: a :class:`Node` subclass, or a function decorated with :func:`node`.

    Raises:
        InvalidNode: It is something else.
    """
    found = getattr(value, "__waterflow_node__", value)
    if isinstance(found, type) and issubclass(found, Node) and found is not Node:
        return found
    raise InvalidNode(repr(value), ["it is neither a subclass of Node nor a function decorated with @node"])


def check_interface(node: type[Node], ours: str = INTERFACE_VERSION) -> None:
    """Refuse a node that was made for another major version of the interface.

    Raises:
        IncompatibleNode: It says which version the node was made for and which one is here.
    """
    theirs = str(node.interface)
    if theirs.split(".", 1)[0] != ours.split(".", 1)[0]:
        reason = (
            f"it was made for node interface {theirs}, this waterflow-sdk has {ours}; "
            f"install a version of its package that supports interface {ours.split('.', 1)[0]}"
        )
        raise IncompatibleNode(label(node), [reason])
