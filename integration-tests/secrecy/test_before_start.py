"""Secrets that agents read are asked for before the first job of a run: where one is missing, nothing starts."""

import asyncio
import base64
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import Site
from harness.command import Command
from harness.site import until
from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from secrecy._search import TOKEN, forms
from waterflow_sdk.codec import KeyRing, PayloadCodec
from waterflow_sdk.wire import AgentStatus, RunState, State
from waterflow_server._converter import data_converter
from waterflow_server.inquiry import inquiry_workflow_id

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADVICE = "Let the agents read them, or send the jobs elsewhere, and retry the run"


def refused(*lacks: str) -> str:
    """The message of a run that lacks these."""
    return f"nothing was started, because secrets are missing: {'; '.join(lacks)}. {ADVICE}"


def missing(agent: str, name: str = "SHOP_NONE") -> str:
    """What an agent says of a variable that it may read and does not have."""
    return f"secret S: env:{name}: agent {agent} has no such environment variable"


def not_allowed(agent: str, name: str = "SHOP_TOKEN") -> str:
    """What an agent says of a variable that it may not read."""
    return f"secret S: agent {agent} may not read env:{name}; its setting secrets.allow does not list it"


def two_jobs(tmp_path: Path, runs_on: str, *, source: str = "env:SHOP_TOKEN", more: str = "") -> str:
    """The first job has an effect, the second one needs the secret."""
    return f"""
        secrets: {{S: {{from: "{source}"}}}}
        jobs:
          first: {{runs-on: web, steps: [run: touch {tmp_path}/effect]}}
          second:
            needs: first
            runs-on: {runs_on}
            {more}
            steps: [{{run: 'printf %s "$S" > {tmp_path}/got', env: {{S: "${{{{ secrets.S }}}}"}}}}]
    """


def files(path: Path) -> list[str]:
    """What the run did."""
    return sorted(each.name for each in path.iterdir())


def told(state: RunState) -> tuple[str, str]:
    """Code and message of the run's error."""
    assert state.error is not None
    return state.error.code, state.error.message


class TestNobodyHasIt:
    async def test_no_job_begins(self, site: Site, tmp_path: Path):
        state = await site.run(two_jobs(tmp_path, "web", source="env:SHOP_NONE"))
        assert (state.state, files(tmp_path)) == (State.FAILED, [])
        assert told(state) == ("secret-missing", refused(f"job second on web-01: {missing('web-01')}"))
        assert [(job.state, job.reason) for job in state.jobs] == [
            (State.SKIPPED, "nothing was started: another job lacks a secret"),
            (State.FAILED, missing("web-01")),
        ]

    async def test_details_name_each_secret_job_and_host(self, site: Site, tmp_path: Path):
        state = await site.run(two_jobs(tmp_path, "web", source="env:SHOP_NONE"))
        assert state.error is not None
        lack = {"job": "second", "host": "web-01", "code": "secret-missing", "message": missing("web-01")}
        assert state.error.details == {"secrets": [lack], "more": 0}

    async def test_what_the_agent_may_not_read_is_as_good_as_missing(self, site: Site, tmp_path: Path):
        state = await site.run(two_jobs(tmp_path, "bare"))
        assert (state.state, files(tmp_path)) == (State.FAILED, [])
        assert told(state) == ("secret-not-allowed", refused(f"job second on bare-01: {not_allowed('bare-01')}"))

    async def test_none_of_a_group(self, site: Site, tmp_path: Path):
        state = await site.run(two_jobs(tmp_path, "both", source="env:SHOP_NONE"))
        assert (state.state, files(tmp_path)) == (State.FAILED, [])
        lacks = [
            f"job second on bare-01: {not_allowed('bare-01', 'SHOP_NONE')}",
            f"job second on web-01: {missing('web-01')}",
        ]
        assert told(state) == ("secret-missing", refused(*lacks))

    async def test_of_a_called_workflow(self, site: Site, tmp_path: Path):
        called = """
on: {call: {inputs: {where: {type: string}}, secrets: {KEY: {required: true}}}}
jobs:
  use:
    runs-on: ${{ inputs.where }}
    steps: [{run: 'true', env: {K: "${{ secrets.KEY }}"}}]
"""
        state = await site.run(
            f"""
            secrets: {{S: {{from: "env:SHOP_TOKEN"}}}}
            jobs:
              first: {{runs-on: web, steps: [run: touch {tmp_path}/effect]}}
              call:
                needs: first
                uses: ./called.yaml
                with: {{where: bare}}
                secrets: {{KEY: "a-${{{{ secrets.S }}}}"}}
            """,
            files={"called.yaml": called},
        )
        assert (state.state, files(tmp_path)) == (State.FAILED, [])
        assert told(state) == ("secret-not-allowed", refused(f"job call/use on bare-01: {not_allowed('bare-01')}"))


class TestEveryMember:
    async def test_one_that_lacks_it_is_too_many(self, site: Site, tmp_path: Path):
        state = await site.run(two_jobs(tmp_path, "{group: both, target: all}"))
        assert (state.state, files(tmp_path)) == (State.FAILED, [])
        assert told(state) == ("secret-not-allowed", refused(f"job second on bare-01: {not_allowed('bare-01')}"))

    async def test_one_that_takes_no_work_is_not_asked(self, site: Site, tmp_path: Path):
        await site.client.cordon_agent("bare-01", "sick")
        try:
            more = "offline: skip"
            state = await site.run(two_jobs(tmp_path, "{group: both, target: all}", more=more))
        finally:
            await site.client.uncordon_agent("bare-01")
        assert (state.state, files(tmp_path)) == (State.SUCCESS, ["effect", "got"]), state.error
        assert {job.instance: job.state for job in state.jobs} == {
            "first": State.SUCCESS,
            "second[bare-01]": State.SKIPPED,
            "second[web-01]": State.SUCCESS,
        }


class TestAnyMember:
    async def test_those_that_lack_it_do_not_get_the_job(self, site: Site):
        state = await site.run("""
            secrets: {S: {from: "env:SHOP_TOKEN"}}
            jobs:
              use:
                runs-on: both
                for-each: ${{ fromJSON('[1, 2, 3, 4, 5, 6]') }}
                steps: [{run: 'true', env: {S: "${{ secrets.S }}"}}]
        """)
        assert state.state is State.SUCCESS, state.error
        assert {job.agent.name for job in state.jobs if job.agent} == {"web-01"}

    async def test_nor_that_of_a_called_workflow(self, site: Site):
        called = """
on: {call: {secrets: {KEY: {required: true}}}}
jobs:
  use:
    runs-on: both
    for-each: ${{ fromJSON('[1, 2, 3, 4]') }}
    steps: [{run: 'true', env: {K: "${{ secrets.KEY }}"}}]
"""
        state = await site.run(
            """
            secrets: {S: {from: "env:SHOP_TOKEN"}}
            jobs: {call: {uses: ./called.yaml, secrets: {KEY: "${{ secrets.S }}"}}}
            """,
            files={"called.yaml": called},
        )
        assert state.state is State.SUCCESS, state.error
        assert {job.agent.name for job in state.jobs if job.agent} == {"web-01"}


class TestNotAnErrorYet:
    async def test_nobody_is_there(self, site: Site, tmp_path: Path):
        agent = site.start_agent("gone-01", ["gone"])
        await site.until_online("gone-01")
        assert agent.process is not None
        agent.process.terminate()

        async def offline() -> bool:
            return (await site.client.agent("gone-01")).status is AgentStatus.OFFLINE

        await until(offline, "gone-01 has gone")
        state = await site.run(two_jobs(tmp_path, "{agent: gone-01}", more="offline: {wait: 1s}"))
        assert (state.state, files(tmp_path)) == (State.FAILED, ["effect"])
        assert told(state)[0] == "no-agent"

    async def test_a_job_that_is_certain_not_to_run(self, site: Site, tmp_path: Path):
        state = await site.run(
            "on: {manual: {inputs: {notify: {type: boolean, default: false}}}}"
            + two_jobs(tmp_path, "bare", more="if: inputs.notify").replace("\n        ", "\n")
        )
        assert (state.state, files(tmp_path)) == (State.SUCCESS, ["effect"]), state.error

    async def test_a_secret_that_no_job_reads(self, site: Site, tmp_path: Path):
        state = await site.run(f"""
            secrets: {{S: {{from: "env:SHOP_NONE"}}}}
            jobs: {{first: {{runs-on: web, steps: [run: touch {tmp_path}/effect]}}}}
        """)
        assert (state.state, files(tmp_path)) == (State.SUCCESS, ["effect"]), state.error


class TestWhileItAsks:
    async def test_the_run_says_so_and_can_be_cancelled(self, site: Site, tmp_path: Path):
        agent = site.start_agent("frozen-01", ["frozen"])
        await site.until_online("frozen-01")
        assert agent.process is not None
        agent.process.send_signal(signal.SIGSTOP)
        run = await site.submit(two_jobs(tmp_path, "frozen"))

        async def asks() -> bool:
            state = await run.status()
            return state.state.ended or state.reason == "asks agents for its secrets"

        await until(asks, "the run asks")
        await run.cancel("enough")
        state = await run.wait(180)
        assert (state.state, files(tmp_path)) == (State.CANCELLED, [])


class TestRetry:
    async def test_goes_on_when_the_secret_is_there(self, site: Site, tmp_path: Path):
        key = site.root / "held" / "late.pem"
        run = await site.submit(two_jobs(tmp_path, "web", source=f"file:{key}"))
        state = await run.wait(180)
        assert (told(state)[0], files(tmp_path)) == ("secret-missing", [])
        key.write_text("late")
        again = await (await run.retry()).wait(180)
        assert (again.state, files(tmp_path)) == (State.SUCCESS, ["effect", "got"]), again.error
        assert (tmp_path / "got").read_text() == "late"

    async def test_asks_nothing_of_what_it_keeps(self, site: Site, tmp_path: Path):
        key = site.root / "held" / "once.pem"
        key.write_text("once")
        run = await site.submit(f"""
            secrets: {{S: {{from: "file:{key}"}}}}
            jobs:
              uses: {{runs-on: web, steps: [{{run: 'true', env: {{S: "${{{{ secrets.S }}}}"}}}}]}}
              fails: {{needs: uses, runs-on: web, steps: [run: test -e {tmp_path}/mended]}}
        """)
        assert (await run.wait(180)).state is State.FAILED
        key.unlink()
        (tmp_path / "mended").touch()
        again = await (await run.retry()).wait(180)
        assert again.state is State.SUCCESS, again.error
        whole = await (await run.retry(scope="all")).wait(180)
        assert told(whole)[0] == "secret-missing"


class TestTheCommand:
    async def test_ends_as_a_failed_run_and_says_why(self, site: Site, tmp_path: Path):
        (tmp_path / "deploy.yaml").write_text(
            """
secrets: {S: {from: "env:SHOP_TOKEN"}}
jobs: {use: {runs-on: bare, steps: [{run: 'true', env: {S: "${{ secrets.S }}"}}]}}
"""
        )
        result = await asyncio.to_thread(Command(tmp_path).run, "run", "deploy.yaml", "--server", site.url)
        assert result.code == 1
        assert refused(f"job use on bare-01: {not_allowed('bare-01')}") in " ".join(
            (result.stdout + result.stderr).split()
        )


def payloads(value: Any, codec: PayloadCodec) -> Iterator[bytes]:
    """What is sealed in a history, opened."""
    if isinstance(value, dict):
        if isinstance(value.get("metadata"), dict) and "data" in value:
            metadata = {key: base64.b64decode(text) for key, text in value["metadata"].items()}
            data = base64.b64decode(value["data"])
            yield Payload.FromString(codec.open(data, metadata)).data if "key" in metadata else data
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        yield from payloads(each, codec)


class TestTheHistory:
    async def test_holds_no_value(self, site: Site, tmp_path: Path):
        run = await site.submit(two_jobs(tmp_path, "web"))
        assert (await run.wait(180)).state is State.SUCCESS
        codec = PayloadCodec(KeyRing.load(site.root / "keys.json"))
        client = await Client.connect(site.temporal.address, data_converter=data_converter(codec))
        history = await client.get_workflow_handle(inquiry_workflow_id(run.id)).fetch_history()
        texts = list(payloads(json.loads(history.to_json()), codec))
        assert any(b"wfsecret:" in text for text in texts)
        assert not [form for form in forms(TOKEN) if any(form in text for text in texts)]

    async def test_of_a_run_that_needs_none_has_nothing_of_it(self, site: Site, tmp_path: Path):
        run = await site.submit(f"jobs: {{first: {{runs-on: web, steps: [run: touch {tmp_path}/effect]}}}}")
        assert (await run.wait(180)).state is State.SUCCESS
        codec = PayloadCodec(KeyRing.load(site.root / "keys.json"))
        client = await Client.connect(site.temporal.address, data_converter=data_converter(codec))
        history = await client.get_workflow_handle(f"run/{run.id}").fetch_history()
        children = [
            event.child_workflow_execution_started_event_attributes.workflow_execution.workflow_id
            for event in history.events
        ]
        assert [child for child in children if child] == [f"run/{run.id}/first"]
        assert not [event for event in history.events if event.HasField("marker_recorded_event_attributes")]
