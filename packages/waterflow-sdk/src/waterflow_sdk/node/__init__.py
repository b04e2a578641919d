"""The node interface: what a node is, what it sees, how it fails, and what hosts call to run one.

An author needs ``Node``, ``NodeInput``, ``NodeOutput``, ``Secret``, ``NodeContext`` and the errors; a host (the agent,
``waterflow_sdk.testing``) also ``node_class``, ``check_node``, ``manifest_of``, ``StepContext`` and ``execute_step``.
The interface is versioned on its own (``INTERFACE_VERSION``): within a major version nothing that worked stops working.
"""

from ..wire import INTERFACE_VERSION, NodeExample, NodeManifest
from ._check import check_node
from ._context import Line, LineHandler, NodeContext, NodeLog, ProcessResult, SyncNodeContext, TextStream
from ._data import NodeInput, NodeOutput
from ._errors import (
    IncompatibleNode,
    InvalidInput,
    InvalidNode,
    InvalidOutput,
    NodeCancelled,
    NodeError,
    NodeTimeout,
    NotFoundError,
    OutputTooLarge,
    PermissionDenied,
    ProcessFailed,
)
from ._execute import StepResult, execute_step
from ._function import node
from ._inputs import load_inputs
from ._manifest import manifest_of
from ._masking import Masker, MaskStream
from ._node import Node, check_interface, node_class
from ._outputs import dump_outputs
from ._secret import Secret
from ._starting import ProcessSink, StartedProcess, StartProcess
from ._step import StepContext
from ._text import Sink

__all__ = [
    "INTERFACE_VERSION",
    "IncompatibleNode",
    "InvalidInput",
    "InvalidNode",
    "InvalidOutput",
    "Line",
    "LineHandler",
    "MaskStream",
    "Masker",
    "Node",
    "NodeCancelled",
    "NodeContext",
    "NodeError",
    "NodeExample",
    "NodeInput",
    "NodeLog",
    "NodeManifest",
    "NodeOutput",
    "NodeTimeout",
    "NotFoundError",
    "OutputTooLarge",
    "PermissionDenied",
    "ProcessFailed",
    "ProcessResult",
    "ProcessSink",
    "Secret",
    "Sink",
    "StartProcess",
    "StartedProcess",
    "StepContext",
    "StepResult",
    "SyncNodeContext",
    "TextStream",
    "check_interface",
    "check_node",
    "dump_outputs",
    "execute_step",
    "load_inputs",
    "manifest_of",
    "node",
    "node_class",
]
