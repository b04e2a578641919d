"""The Waterflow workflow language: source to diagnostics, model and plan; and its expressions.

Pure: nothing here reads a file, a clock or a random number, at import or when called, so that workflow code may
import it.

>>> result = check("jobs: {hello: {steps: [{run: echo hi}]}}")
>>> result.ok, result.plan.jobs[0].steps[0].uses.name
(True, 'shell')
"""

from waterflow_dsl._amount import parse_memory
from waterflow_dsl._analysis._called import called_key
from waterflow_dsl._catalog import Catalog, NodeSignature
from waterflow_dsl._check import CheckResult, check
from waterflow_dsl._check_action import ActionResult, check_action
from waterflow_dsl._check_files import CheckedFiles, check_files, named_workflows
from waterflow_dsl._compile._target import target_of
from waterflow_dsl._control import CONTROL_NODES, CONTROL_STRUCTURES
from waterflow_dsl._diagnostics import Diagnostic
from waterflow_dsl._duration import parse_duration
from waterflow_dsl._render import render_github, render_json, render_sarif, render_text
from waterflow_dsl._schema._publish import workflow_schema
from waterflow_dsl._suggest import suggest
from waterflow_dsl.expressions import ExpressionError, evaluate, interpolate, parse_expression
from waterflow_dsl.plan import PLAN_VERSION, Plan, PlanVersionError, decode_plan, encode_plan

__all__ = [
    "CONTROL_NODES",
    "CONTROL_STRUCTURES",
    "PLAN_VERSION",
    "ActionResult",
    "Catalog",
    "CheckResult",
    "CheckedFiles",
    "Diagnostic",
    "ExpressionError",
    "NodeSignature",
    "Plan",
    "PlanVersionError",
    "called_key",
    "check",
    "check_action",
    "check_files",
    "decode_plan",
    "encode_plan",
    "evaluate",
    "interpolate",
    "named_workflows",
    "parse_duration",
    "parse_expression",
    "parse_memory",
    "render_github",
    "render_json",
    "render_sarif",
    "render_text",
    "suggest",
    "target_of",
    "workflow_schema",
]
