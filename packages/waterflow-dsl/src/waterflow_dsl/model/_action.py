"""An action manifest, ``action.yml``."""

from __future__ import annotations

from waterflow_dsl.model._base import ModelObject, Values
from waterflow_dsl.model._step import Step


class ActionInput(ModelObject, frozen=True, kw_only=True):
    """An input; ``default`` may hold expressions."""

    description: str = ""
    required: bool | str = False
    default: str | None = None
    deprecation_message: str | None = None


class ActionOutput(ModelObject, frozen=True, kw_only=True):
    """An output; ``value`` is there in composite actions only."""

    description: str = ""
    value: str | None = None


class ActionRuns(ModelObject, frozen=True, kw_only=True):
    """How the action runs: JavaScript (``main``), Docker (``image``) or composite (``steps``)."""

    using: str | None = None
    main: str | None = None
    pre: str | None = None
    post: str | None = None
    pre_if: str | None = None
    post_if: str | None = None
    image: str | None = None
    entrypoint: str | None = None
    pre_entrypoint: str | None = None
    post_entrypoint: str | None = None
    args: tuple[str, ...] = ()
    env: Values | str = {}
    steps: tuple[Step, ...] = ()


class Action(ModelObject, frozen=True, kw_only=True):
    """The manifest."""

    name: str | None = None
    author: str | None = None
    description: str | None = None
    inputs: dict[str, ActionInput | None] = {}
    outputs: dict[str, ActionOutput | None] = {}
    runs: ActionRuns | None = None
    branding: Values = {}
