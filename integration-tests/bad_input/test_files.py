"""Files that are no workflow: one message with place and remedy, exit code 2 or status 422, nothing is started."""

import io

import aiohttp
import pytest
from harness import Site
from harness.command import Command
from harness.processes import nothing_left_running

from bad_input._files import FILES, KNOWN_TO_THE_SERVER, NAME, BadFile, write

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALL = [*FILES, *KNOWN_TO_THE_SERVER]
HUGE = 100 * 1024 * 1024


def named(files: list[BadFile]) -> list[object]:
    return [pytest.param(each, id=each.name) for each in files]


async def post(site: Site, path: str, body: bytes) -> tuple[int, dict[str, object]]:
    """What the API answers to a workflow file."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{site.url}{path}",
            data=io.BytesIO(body),
            params={"filename": NAME},
            headers={"content-type": "application/yaml"},
        ) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


class TestRunLocal:
    @pytest.mark.parametrize("bad", named(FILES))
    async def test_says_what_where_and_what_to_do_and_starts_nothing(self, bad: BadFile, waterflow: Command):
        write(waterflow.home, bad)
        with nothing_left_running():
            done = waterflow.run("run", "--local", NAME, within=90)
        assert (done.code, done.stdout, done.stderr) == (2, "", bad.said)

    async def test_finds_an_unknown_node_once_the_agents_are_known_and_ends_the_stack(self, waterflow: Command):
        bad = KNOWN_TO_THE_SERVER[0]
        write(waterflow.home, bad)
        with nothing_left_running():
            done = waterflow.run("run", "--local", NAME)
        assert (done.code, done.stdout) == (2, "")
        assert done.stderr.endswith(f"Agents online in the groups local, web: 1\n{bad.said}")


class TestSubmit:
    @pytest.mark.parametrize("bad", named(ALL))
    async def test_says_the_same_to_a_server(self, bad: BadFile, waterflow: Command, site: Site):
        write(waterflow.home, bad)
        done = waterflow.run("submit", "--server", site.url, NAME)
        assert (done.code, done.stdout, done.stderr) == (2, "", bad.said)

    async def test_starts_no_run(self, site: Site):
        assert [run async for run in site.client.runs()] == []


class TestApi:
    @pytest.mark.parametrize(
        "bad", named([bad for bad in ALL if bad.detail and bad.name != "not UTF-8" and bad.content])
    )
    async def test_submit_answers_422_with_the_same_words(self, bad: BadFile, site: Site):
        status, problem = await post(site, "/v1/workflows", bad.content)
        assert (status, problem["code"], problem["detail"]) == (422, "invalid-workflow", bad.detail)

    @pytest.mark.parametrize(
        "bad", named([bad for bad in ALL if bad.detail and bad.name != "not UTF-8" and bad.content])
    )
    async def test_validate_answers_200_with_the_diagnostic(self, bad: BadFile, site: Site):
        status, answer = await post(site, "/v1/validate", bad.content)
        (found,) = answer["diagnostics"]  # type: ignore[misc]
        place = f"{found['file']}:{found['line']}:{found['column']}"
        assert (status, answer["valid"]) == (200, False)
        assert f"{place}: {found['message']}; {found['hint']}" == bad.detail

    @pytest.mark.parametrize(
        ("body", "status", "code", "detail"),
        [
            pytest.param(b"", 400, "bad-request", "body: a body is needed", id="empty"),
            pytest.param(
                b"name: caf\xe9",
                400,
                "bad-request",
                "the workflow file is not UTF-8 text: byte 9 is 0xe9",
                id="not UTF-8",
            ),
            pytest.param(
                b"a" * HUGE,
                413,
                "body-too-large",
                "the body is larger than 4194304 bytes, the most that is taken here",
                id="100 MB",
            ),
        ],
    )
    @pytest.mark.parametrize("path", ["/v1/workflows", "/v1/validate"])
    async def test_refuses_a_body_that_it_cannot_read(
        self, path: str, body: bytes, status: int, code: str, detail: str, site: Site
    ):
        answered, problem = await post(site, path, body)
        assert (answered, problem["code"], problem["detail"]) == (status, code, detail)

    async def test_still_answers_after_all_this(self, site: Site):
        assert (await site.client.health()).status == "ok"


class TestWhatIsNoFile:
    @pytest.mark.parametrize("command", [("run", "--local"), ("submit",), ("validate",)], ids=" ".join)
    async def test_100_mb_are_refused_by_their_size_alone(self, command: tuple[str, ...], waterflow: Command):
        with (waterflow.home / "huge.yaml").open("wb") as file:
            file.truncate(HUGE)
        done = waterflow.run(*command, "huge.yaml", within=90)
        assert (done.code, done.stdout) == (2, "")
        assert done.stderr == (
            "error: 'huge.yaml' has 100.0 MB; a workflow file has at most 8 MB\n"
            "hint: give the name of a workflow file; data belongs into files that its steps read\n"
        )

    async def test_100_mb_through_a_pipe_are_not_read_to_their_end(self, waterflow: Command):
        done = waterflow.run("run", "--local", "-", stdin=b"a" * HUGE, within=90)
        assert (done.code, done.stdout) == (2, "")
        assert done.stderr.startswith("error: '<stdin>' has 8.0 MB; a workflow file has at most 8 MB\n")

    async def test_a_directory_names_the_files_in_it(self, waterflow: Command):
        (waterflow.home / "flows").mkdir()
        (waterflow.home / "flows" / "deploy.yaml").touch()
        done = waterflow.run("run", "--local", "flows", within=90)
        assert (done.code, done.stdout) == (2, "")
        assert done.stderr == ("error: 'flows' is a directory, not a workflow file\nhint: it holds flows/deploy.yaml\n")

    async def test_a_missing_file_gets_the_nearest_name(self, waterflow: Command):
        (waterflow.home / "deploy.yaml").touch()
        done = waterflow.run("run", "--local", "deplyo.yaml", within=90)
        assert (done.code, done.stdout) == (2, "")
        assert done.stderr == "error: the file 'deplyo.yaml' does not exist\nhint: did you mean 'deploy.yaml'?\n"
