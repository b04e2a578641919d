"""What can be said of a model: expressions, references, graph, nodes, triggers, targets."""

from waterflow_dsl._analysis._analyse import Against, analyse

__all__ = ["Against", "analyse"]
