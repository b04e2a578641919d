"""Plans of runs, which a newer version of the server may have written."""

from __future__ import annotations

import msgspec

from waterflow_dsl.plan import Plan, PlanVersionError, decode_plan

from ._errors import PlanUnreadable


def read_plan(raw: msgspec.Raw, run_id: str) -> Plan:
    """The plan that a run was started with; raises PlanUnreadable for one that this version does not know."""
    try:
        return decode_plan(bytes(raw))
    except (PlanVersionError, msgspec.ValidationError) as error:
        raise PlanUnreadable(f"this server cannot read the plan of run {run_id}: {error}") from error
