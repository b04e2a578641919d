"""Which contexts and functions exist where.

Source: GitHub's "Contexts reference", table "Context availability"; ours stand beside the context they
extend (``run``, ``workflow`` and ``event`` beside ``github``,
``agent`` beside ``runner``, ``item`` and ``index`` beside ``matrix``).
"""

from __future__ import annotations

from waterflow_dsl._schema._types import Place

GITHUB_CONTEXTS = frozenset(
    ["github", "inputs", "vars", "secrets", "needs", "strategy", "matrix", "job", "jobs", "runner", "env", "steps"]
)
"""The contexts of GitHub's own language."""

_ALWAYS = frozenset({"github", "run", "workflow", "event", "vars", "inputs"})
_JOB = _ALWAYS | {"needs", "strategy", "matrix", "item", "index"}
_STEP = _JOB | {"secrets", "steps", "job", "env", "runner", "agent"}
_NOW = frozenset({"now"})
STATUS = frozenset({"success", "failure", "always", "cancelled"})

EVENT = Place(contexts=frozenset({"event", "github", "workflow", "vars"}), functions=_NOW)
RUN = Place(contexts=_ALWAYS, functions=_NOW)
FILE_ENV = Place(contexts=_ALWAYS | {"secrets"}, functions=_NOW)
JOB_IF = Place(contexts=_ALWAYS | {"needs"}, functions=_NOW | STATUS)
STRATEGY = Place(contexts=_ALWAYS | {"needs"}, functions=_NOW)
JOB = Place(contexts=_JOB, functions=_NOW)
JOB_ENV = Place(contexts=_JOB | {"secrets"}, functions=_NOW)
JOB_DEFAULTS = Place(contexts=_JOB | {"env"}, functions=_NOW)
CREDENTIALS = Place(contexts=_ALWAYS | {"needs", "strategy", "matrix", "secrets", "env"}, functions=_NOW)
STEP = Place(contexts=_STEP, functions=_NOW | {"hashFiles"})
STEP_IF = Place(contexts=_STEP - {"secrets"}, functions=_NOW | STATUS | {"hashFiles"}, bare=STATUS)
CONTAINER_ENV = Place(contexts=_STEP, functions=_NOW)
OUTPUTS = Place(contexts=_STEP, functions=_NOW)
ENVIRONMENT_URL = Place(contexts=_STEP - {"secrets"}, functions=_NOW)
_ACTION = frozenset(["github", "inputs", "steps", "runner", "env", "strategy", "matrix", "job"])
ACTION_STEP = Place(contexts=_ACTION, functions=frozenset({"hashFiles"}))
ACTION_STEP_IF = Place(contexts=_ACTION, functions=STATUS | {"hashFiles"}, bare=STATUS)
ACTION_INPUT = Place(
    contexts=frozenset({"github", "strategy", "matrix", "job", "runner"}), functions=frozenset({"hashFiles"})
)
ACTION_OUTPUT = ACTION_STEP
ACTION_ARGS = Place(contexts=frozenset({"inputs"}))
CALL_OUTPUT = Place(contexts=_ALWAYS | {"jobs"}, functions=_NOW)
