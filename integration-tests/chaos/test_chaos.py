"""A few seeds of the chaos campaign; `make chaos` runs fifty. A failure names its seed, which does the same again."""

import pytest
from harness import Site

from chaos._campaign import run_seed
from chaos._model import AGENTS

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow, pytest.mark.alone]


@pytest.mark.parametrize("seed", [2, 3, 8, 11])
async def test_the_run_ends_right_with_each_effect_and_each_line_as_often_as_allowed(site: Site, seed: int):
    await site.until_online(*AGENTS)
    outcome = await run_seed(site, seed)
    again = f"again: cd integration-tests && python -m chaos --seed {seed}"
    assert outcome.problems == [], "\n".join([*outcome.problems, f"faults: {outcome.faults}", again])
    assert outcome.faults != []
