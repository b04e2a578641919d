"""The tree to the model: reports what is wrong, never raises."""

from waterflow_dsl._convert._workflow import convert, convert_action

__all__ = ["convert", "convert_action"]
