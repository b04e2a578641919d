"""Model to plan: folds defaults, writes the implicit conditions out, decides nothing that only a run can know."""

from waterflow_dsl._compile._workflow import compile_workflow

__all__ = ["compile_workflow"]
