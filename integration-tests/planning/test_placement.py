"""Placement at submit: what is certain of where the jobs would run is said at once."""

from datetime import UTC, datetime, timedelta

import pytest
from harness import Site

from waterflow_sdk.client import InvalidWorkflow
from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def refused(site: Site, yaml: str, **given: object) -> list[tuple[str, int, str]]:
    """Code, line and message of every error of a submit."""
    with pytest.raises(InvalidWorkflow) as caught:
        await site.client.submit(yaml, **given)  # type: ignore[arg-type]
    return [(each["code"], each["line"], each["message"]) for each in caught.value.diagnostics]


async def warned(site: Site, yaml: str) -> list[tuple[str, str]]:
    """Code and severity of everything that validating says; the file has to be valid."""
    answer = await site.client.validate(yaml)
    assert answer.valid, answer.diagnostics
    return [(each["code"], each["severity"]) for each in answer.diagnostics]


class TestGroup:
    async def test_one_that_is_not_there_names_the_nearest(self, site: Site):
        yaml = "jobs:\n  a:\n    runs-on: wep\n    steps: [run: echo]"
        assert await refused(site, yaml) == [("WF1701", 3, "unknown group `wep`")]

    async def test_one_that_an_input_names(self, site: Site):
        yaml = (
            "on: {manual: {inputs: {where: {type: string}}}}\n"
            "jobs: {a: {runs-on: '${{ inputs.where }}', steps: [run: echo]}}"
        )
        assert await refused(site, yaml, inputs={"where": "wep"}) == [("WF1701", 2, "unknown group `wep`")]
        assert (await site.run(yaml, inputs={"where": "web"})).state is State.SUCCESS

    async def test_one_that_nothing_decides_yet_is_accepted(self, site: Site):
        yaml = """
            jobs:
              first:
                runs-on: web
                steps: [{id: s, run: 'echo "where=db" >> "$WATERFLOW_OUTPUT"'}]
                outputs: {where: "${{ steps.s.outputs.where }}"}
              second: {needs: first, runs-on: "${{ needs.first.outputs.where }}", steps: [run: echo]}
        """
        assert (await site.run(yaml)).state is State.SUCCESS


class TestOffline:
    async def test_fail_is_refused_with_names_and_since_when(self, site: Site):
        ((code, line, message),) = await refused(site, "jobs:\n  a: {runs-on: away, steps: [run: echo]}")
        since = (await site.client.agent("away-01")).since
        assert since is not None
        expected = (
            f"no member of the group `away` is online: away-01 offline since {since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        )
        assert (code, line, message) == ("WF1709", 2, expected)

    @pytest.mark.parametrize("policy", ["skip", "{wait: 2h}"])
    async def test_skip_and_wait_are_accepted_with_a_warning(self, site: Site, policy: str):
        yaml = f"jobs: {{a: {{runs-on: away, offline: {policy}, steps: [run: echo]}}}}"
        assert await warned(site, yaml) == [("WF1710", "warning")]

    async def test_skip_skips(self, site: Site):
        run = await site.client.submit("jobs: {a: {runs-on: away, offline: skip, steps: [run: echo]}}")
        assert [each["code"] for each in run.warnings] == ["WF1710"]
        assert (await run.wait(180)).jobs[0].state is State.SKIPPED

    async def test_a_job_that_may_not_run_is_no_reason_to_refuse(self, site: Site):
        yaml = """
            jobs:
              a: {runs-on: web, steps: [run: echo]}
              undo: {needs: a, if: failure(), runs-on: away, steps: [run: echo]}
        """
        assert (await site.run(yaml)).state is State.SUCCESS

    async def test_a_job_that_does_not_run_is_not_judged(self, site: Site):
        yaml = "vars: {x: 1}\njobs: {a: {if: vars.x == 2, runs-on: away, steps: [run: echo]}}"
        run = await site.client.submit(yaml)
        assert run.warnings == ()
        assert (await run.wait(180)).jobs[0].state is State.SKIPPED

    async def test_validating_knows_no_values_so_that_it_only_warns(self, site: Site):
        yaml = "vars: {x: 1}\njobs: {a: {if: vars.x == 1, runs-on: away, steps: [run: echo]}}"
        assert await warned(site, yaml) == [("WF1710", "warning")]
        assert [code for code, _, _ in await refused(site, yaml)] == ["WF1709"]

    async def test_control_nodes_need_nobody(self, site: Site):
        yaml = "jobs: {a: {runs-on: away, steps: [{uses: sleep, with: {duration: 1ms}}]}}"
        assert (await site.run(yaml)).state is State.SUCCESS


class TestTags:
    async def test_that_no_agent_has(self, site: Site):
        ((code, _, message),) = await refused(site, "jobs: {a: {runs-on: [linux, gpu], steps: [run: echo]}}")
        expected = "no member of all servers with the tags `linux`, `gpu` is online: nobody has registered there"
        assert (code, message) == ("WF1709", expected)


class TestCalled:
    """A called workflow gets its values in the run, but who is to run it stands in it."""

    BELOW = "on: workflow_call\njobs:\n  b:\n    runs-on: away\n    steps: [run: echo]"

    async def test_nobody_online_is_refused_with_the_place_in_its_own_file(self, site: Site):
        with pytest.raises(InvalidWorkflow) as caught:
            await site.client.submit("jobs: {a: {uses: ./b.yaml}}", files={"b.yaml": self.BELOW})
        ((found),) = caught.value.diagnostics
        assert (found["code"], found["file"], found["line"]) == ("WF1709", "b.yaml", 4)

    async def test_over_several_levels(self, site: Site):
        between = "on: workflow_call\njobs: {c: {uses: ./b.yaml}}"
        yaml = "jobs: {a: {uses: ./between.yaml}}"
        files = {"b.yaml": self.BELOW, "between.yaml": between}
        with pytest.raises(InvalidWorkflow) as caught:
            await site.client.submit(yaml, files=files)
        assert [each["file"] for each in caught.value.diagnostics] == ["b.yaml"]

    @pytest.mark.parametrize(
        "caller",
        [
            "jobs: {a: {runs-on: web, steps: [run: 'true']}, u: {needs: a, if: failure(), uses: ./b.yaml}}",
            "jobs: {a: {if: 1 == 2, uses: ./b.yaml}}",
        ],
        ids=["only after a failure", "never"],
    )
    async def test_one_that_may_not_be_called_is_no_reason_to_refuse(self, site: Site, caller: str):
        run = await site.client.submit(caller, files={"b.yaml": self.BELOW})
        assert (await run.wait(180)).state is State.SUCCESS

    async def test_a_target_that_only_a_run_knows_is_not_judged(self, site: Site):
        below = "on: {workflow_call: {inputs: {where: {type: string}}}}\n"
        below += "jobs: {b: {runs-on: '${{ inputs.where }}', steps: [run: 'true']}}"
        run = await site.client.submit("jobs: {a: {uses: ./b.yaml, with: {where: web}}}", files={"b.yaml": below})
        assert (await run.wait(180)).state is State.SUCCESS


class TestLater:
    async def test_who_is_online_now_decides_nothing_for_a_run_that_starts_later(self, site: Site):
        at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        yaml = "jobs: {a: {runs-on: away, steps: [run: echo]}}"
        address = f"{site.url}/v1/workflows"
        import aiohttp

        async with aiohttp.ClientSession() as session, session.post(address, json={"yaml": yaml, "run_at": at}) as got:
            answer = await got.json()
            assert (got.status, [each["code"] for each in answer["warnings"]]) == (202, ["WF1710"])
        await site.client.run(answer["id"]).cancel()
