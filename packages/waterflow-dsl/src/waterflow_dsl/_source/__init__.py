"""Source text to a tree of values, each with its place. Refuses what a workflow file must not hold."""

from waterflow_dsl._source._compose import compose
from waterflow_dsl._source._text import SourceText, decode
from waterflow_dsl._source._tree import Mapping, Node, Scalar, Sequence

__all__ = ["Mapping", "Node", "Scalar", "Sequence", "SourceText", "compose", "decode"]
