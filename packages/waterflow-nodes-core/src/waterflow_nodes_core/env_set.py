"""``env/set``: environment variables for the later steps of the job."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta

from waterflow_sdk import InvalidInput, Node, NodeContext, NodeExample, NodeInput, NodeOutput

Value = str | int | float | bool | None

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # POSIX.1-2017, 8.1, and lower case too


class EnvSet(Node):
    """Set environment variables for the later steps of the job; null unsets one."""

    name = "env/set"
    version = "1.0.0"
    retry_safe = True
    examples = (
        NodeExample(title="One variable", yaml="- uses: env/set\n  with:\n    name: STAGE\n    value: production\n"),
        NodeExample(
            title="Several, and one less",
            yaml="- uses: env/set\n  with:\n    env:\n      PORT: 8080\n      DEBUG: false\n      HTTP_PROXY: null\n",
        ),
    )

    class Input(NodeInput):
        """Either a name and a value, or a map."""

        name: Annotated[str, Meta(description="Name of one variable.")] = ""
        value: Annotated[Value, Meta(description="Its value; null unsets it.")] = None
        env: Annotated[dict[str, Value], Meta(description="Several variables: names and values.")] = {}

        schema_extra = {"anyOf": [{"required": ["name", "value"]}, {"required": ["env"]}]}

        def __post_init__(self) -> None:
            if not (self.name or self.env):
                raise ValueError("needs `name` and `value`, or variables in `env`")
            if self.name and self.name in self.env:
                raise ValueError(f"{self.name} is given twice: by `name` and in `env`")

    class Output(NodeOutput):
        """What was done."""

        names: Annotated[list[str], Meta(description="Names of the variables, sorted.")]

    async def execute(self, ctx: NodeContext, inputs: Input) -> Output:
        """Check all names first: either all variables are set or none."""
        variables = dict(inputs.env)
        if inputs.name:
            variables[inputs.name] = inputs.value
        for name in variables:
            if not _NAME.fullmatch(name):
                raise InvalidInput(
                    f"{name!r} is not a name for an environment variable: letters, digits and _ only, no digit first",
                    details={"input": "name" if name == inputs.name else "env"},
                )
        for name, value in variables.items():
            ctx.set_env(name, _text(value))
        return self.Output(names=sorted(variables))


def _text(value: Value) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
