"""Stored workflows: versions, which one is active, and runs of them."""

import asyncio
import textwrap

import aiohttp
import pytest
from harness import Site

from waterflow_sdk.client import Conflict, InvalidRequest, InvalidWorkflow, NotFound, RequestError
from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")


def hello(word: str = "hello") -> str:
    return textwrap.dedent(
        f"""\
        name: greet
        description: Says {word}.
        on: manual
        vars: {{word: {word}}}
        jobs:
          greet:
            runs-on: web
            steps:
              - run: echo $WORD
                env: {{WORD: "${{{{ vars.word }}}}"}}
        """
    )


async def text_of(site: Site, run_id: str) -> str:
    """What the steps of a run have written."""
    run = site.client.run(run_id)
    await run.wait(180)
    return "".join([line.text async for line in run.logs() if line.stream.value == "stdout"])


class TestApply:
    async def test_the_first_is_version_1_and_active(self, site: Site):
        made = await site.client.definitions.apply("first", hello())
        assert (made.name, made.active, made.latest, made.enabled, made.created) == ("first", 1, 1, True, True)
        assert (made.title, made.description) == ("greet", "Says hello.")

    async def test_the_same_text_again_makes_no_version(self, site: Site):
        await site.client.definitions.apply("same", hello())
        again = await site.client.definitions.apply("same", hello())
        assert (again.latest, again.created) == (1, False)

    async def test_another_text_is_a_new_version_and_active(self, site: Site):
        await site.client.definitions.apply("second", hello("one"))
        made = await site.client.definitions.apply("second", hello("two"))
        assert (made.active, made.latest) == (2, 2)
        assert [each.number for each in await site.client.definitions.versions("second")] == [2, 1]
        assert (await site.client.definitions.version("second", 1)).yaml == hello("one")

    async def test_yaml_as_it_is_from_a_shell(self, site: Site):
        address = f"{site.url}/v1/definitions/shell"
        headers = {"content-type": "application/yaml"}
        async with aiohttp.ClientSession() as session:
            async with session.put(address, data=hello(), headers=headers) as answer:
                assert answer.status == 201
            async with session.put(address, data=hello(), headers=headers) as answer:
                assert answer.status == 200

    async def test_two_at_once_are_two_versions(self, site: Site):
        await site.client.definitions.apply("race", hello())
        made = await asyncio.gather(*(site.client.definitions.apply("race", hello(f"w{n}")) for n in range(4)))
        assert sorted(each.latest for each in made) == [2, 3, 4, 5]
        assert (await site.client.definitions.get("race")).active == 5

    async def test_two_at_once_on_top_of_the_same_version(self, site: Site):
        await site.client.definitions.apply("stale", hello())
        given = [site.client.definitions.apply("stale", hello(f"w{n}"), expected=1) for n in range(2)]
        outcomes = await asyncio.gather(*given, return_exceptions=True)
        (refused,) = [each for each in outcomes if isinstance(each, Conflict)]
        assert str(refused) == ("definition 'stale' is at version 2, not 1; look at what changed and apply it again")
        assert (await site.client.definitions.get("stale")).latest == 2


class TestVersions:
    async def test_diff(self, site: Site):
        await site.client.definitions.apply("diffed", hello("one"))
        await site.client.definitions.apply("diffed", hello("two"))
        found = await site.client.definitions.diff("diffed", 1)
        assert (found.old, found.new) == (1, 2)
        assert found.diff.splitlines()[:2] == ["--- workflow.yaml (version 1)", "+++ workflow.yaml (version 2)"]
        changed = [line for line in found.diff.splitlines()[3:] if line[0] in "+-"]
        assert changed == [
            "-description: Says one.",
            "+description: Says two.",
            "-vars: {word: one}",
            "+vars: {word: two}",
        ]

    async def test_activate_and_roll_back(self, site: Site):
        for word in ("one", "two", "three"):
            await site.client.definitions.apply("rolled", hello(word))
        assert (await site.client.definitions.rollback("rolled")).active == 2
        assert (await site.client.definitions.rollback("rolled")).active == 1
        with pytest.raises(NotFound, match="definition 'rolled' has no version before 1"):
            await site.client.definitions.rollback("rolled")
        assert (await site.client.definitions.activate("rolled", 3)).active == 3
        with pytest.raises(NotFound, match="definition 'rolled' has no version 9; it has 1 to 3"):
            await site.client.definitions.activate("rolled", 9)

    async def test_the_latest_again_is_active_again(self, site: Site):
        await site.client.definitions.apply("again", hello("one"))
        await site.client.definitions.apply("again", hello("two"))
        await site.client.definitions.rollback("again")
        made = await site.client.definitions.apply("again", hello("two"))
        assert (made.active, made.latest, made.created) == (2, 2, False)


class TestRun:
    async def test_the_active_version_with_values(self, site: Site):
        await site.client.definitions.apply("runs", hello("old"))
        await site.client.definitions.apply("runs", hello("new"))
        assert await text_of(site, (await site.client.definitions.run("runs")).id) == "new"
        assert await text_of(site, (await site.client.definitions.run("runs", version=1)).id) == "old"
        given = await site.client.definitions.run("runs", vars={"word": "mine"}, labels=["blue"])
        assert await text_of(site, given.id) == "mine"
        assert (await given.status()).labels == ["blue", "definition:runs"]

    async def test_a_disabled_one_starts_nothing(self, site: Site):
        await site.client.definitions.apply("off", hello())
        assert not (await site.client.definitions.disable("off")).enabled
        with pytest.raises(Conflict, match="definition 'off' is disabled; enable it first"):
            await site.client.definitions.run("off")
        await site.client.definitions.enable("off")
        assert (await (await site.client.definitions.run("off")).wait(180)).state is State.SUCCESS

    async def test_a_file_can_call_it_by_name(self, site: Site):
        await site.client.definitions.apply("callee", hello("called").replace("on: manual", "on: {call: {}}"))
        state = await site.run("jobs: {go: {uses: callee}}")
        assert state.state is State.SUCCESS


class TestDelete:
    async def test_it_is_gone_with_its_versions(self, site: Site):
        await site.client.definitions.apply("gone", hello("one"))
        await site.client.definitions.delete("gone")
        with pytest.raises(NotFound, match="there is no definition 'gone'"):
            await site.client.definitions.get("gone")
        assert (await site.client.definitions.apply("gone", hello("two"))).latest == 1

    async def test_not_while_a_run_of_it_is_active(self, site: Site):
        slow = "jobs: {wait: {runs-on: web, steps: [{run: sleep 60}]}}"
        await site.client.definitions.apply("busy", slow)
        run = await site.client.definitions.run("busy")

        async def refused() -> str:
            try:
                async with asyncio.timeout(120):
                    while True:  # lists lag a moment behind
                        await site.client.definitions.delete("busy")
                        await site.client.definitions.apply("busy", slow)
            except Conflict as error:
                return str(error)

        assert await refused() == (
            f"definition 'busy' has a run that has not ended, {run.id}; wait for it, cancel it, or force it "
            "(the run goes on either way)"
        )
        await site.client.definitions.delete("busy", force=True)
        assert (await run.status()).state is State.RUNNING
        await run.cancel()
        assert (await run.wait(180)).state is State.CANCELLED


class TestBadInput:
    @pytest.mark.parametrize("name", ["-x", "a b", ".a", "x" * 81, "a:b"])
    async def test_a_name_that_is_none(self, site: Site, name: str):
        with pytest.raises(RequestError) as raised:
            await site.client.definitions.apply(name, hello())
        assert str(raised.value) == (
            f"{name!r} is no name for a definition: it takes 1 to 80 letters, digits, dots, underscores and dashes, "
            "and begins with a letter or digit"
        )

    async def test_a_name_with_slashes(self, site: Site):
        with pytest.raises(NotFound, match="there is no '/v1/definitions/a/b' in this API"):
            await site.client.definitions.apply("a/b", hello())

    async def test_a_file_that_is_wrong(self, site: Site):
        with pytest.raises(InvalidWorkflow) as raised:
            await site.client.definitions.apply("wrong", "jobs: {a: {runs-on: web, steps: [{uses: no/such}]}}")
        assert str(raised.value).startswith("workflow.yaml:1:")
        with pytest.raises(NotFound):
            await site.client.definitions.get("wrong")

    @pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")
    async def test_a_file_of_1_mb(self, site: Site):
        with pytest.raises(RequestError) as raised:
            await site.client.definitions.apply("large", hello() + "# " + "x" * 1024 * 1024)
        assert raised.value.status == 413
        with pytest.raises(RequestError) as raised:
            await site.client.definitions.apply("large", hello() + "# " + "x" * 300 * 1024)
        assert raised.value.status == 413
        assert str(raised.value).startswith("the workflow file is too large to be kept: the document would take 307")

    async def test_a_name_that_is_not_there(self, site: Site):
        await site.client.definitions.apply("nightly-report", hello())
        with pytest.raises(NotFound, match=r"there is no definition 'nightly-repart'; did you mean 'nightly-report'\?"):
            await site.client.definitions.get("nightly-repart")

    @pytest.mark.parametrize(
        ("file", "problem"),
        [
            (
                'on: {schedule: [{cron: "0 2 30 2 *"}]}\njobs: {a: {steps: [{run: "true"}]}}',
                "`0 2 30 2 *` never fires: no month that it names has a day 30",
            ),
            (
                'on: {schedule: [{cron: "0 2 * * *"}]}\nsecrets: {TOKEN: {required: true}}\n'
                'jobs: {a: {steps: [{run: "true"}]}}',
                "secret 'TOKEN' is required: a run that a schedule starts is given no secrets; say where it is read, "
                "such as `from: env:TOKEN`, or declare it `required: false`",
            ),
            (
                'on: {schedule: [{cron: "0 2 * * *"}], manual: {inputs: {v: {type: string, required: true}}}}\n'
                'jobs: {a: {steps: [{run: "true"}]}}',
                "input 'v' is required and has no default: nobody gives it when a schedule starts the run",
            ),
        ],
        ids=["never", "secret", "input"],
    )
    async def test_a_file_that_cannot_be_scheduled(self, site: Site, file: str, problem: str):
        with pytest.raises(InvalidRequest) as raised:
            await site.client.definitions.apply("unfit", file)
        assert str(raised.value) == problem
