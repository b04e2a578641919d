"""Secrets on every way that they can take through a run, and then a search for them wherever anything is written."""

import asyncio
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site
from harness.site import until

from secrecy._search import TOKEN, forms, found_below, found_in
from waterflow_sdk.client import Run
from waterflow_sdk.wire import State

on_the_stack = pytest.mark.asyncio(loop_scope="session")

GIVEN = {
    "PLAIN": "hunter2-Pl4in-zebra",
    "BASE64": "c2VjcmV0LW9mLWJhc2U2NA==",
    "MULTI": "-----BEGIN KEY-----\nMIIEvQ+abc/def8812==\n  zzQ19xkwLmPPq73\n-----END KEY-----",
    "QUOTES": "p\"a\\ss 'wörd' $HOME `id` 密码9 %&",
    "SHORT": "7",
}
SEEN = "canary-is-no-secret-5150"
"""A variable: where it is not found, nobody has looked."""

SECRET = {
    **{name: value for name, value in GIVEN.items() if name != "SHORT"},
    "MULTI": "MIIEvQ+abc/def8812==\n  zzQ19xkwLmPPq73",
    "REFERENCE": TOKEN,
    "MADE": "generated-at-run-77142",
}
FILE = f"""
name: leaky
secrets:
  PLAIN: {{required: true}}
  BASE64: {{required: true}}
  MULTI: {{required: true}}
  QUOTES: {{required: true}}
  SHORT: {{required: true}}
  REFERENCE: {{from: "env:SHOP_TOKEN"}}
vars: {{seen: {SEEN}}}
env: {{ALL: "${{{{ secrets.PLAIN }}}}"}}
jobs:
  show:
    name: Show ${{{{ vars.seen }}}}
    runs-on: web
    env: {{OF_JOB: "${{{{ secrets.BASE64 }}}}"}}
    outputs:
      of-step: ${{{{ steps.out.outputs.value }}}}
      direct: ${{{{ secrets.PLAIN }}}} and ${{{{ secrets.REFERENCE }}}}
    steps:
      - name: Named ${{{{ secrets.PLAIN }}}}
        id: out
        run: |
          show() {{
            printf '%s\\n' "$1"; printf '%s\\n' "$1" >&2
            printf '%s' "$1" | base64; printf 'user:%s' "$1" | base64 -w0; echo
            printf '%s' "$1" | python3 -c '
          import sys, json, urllib.parse as u
          t = sys.stdin.read()
          print(json.dumps(t), u.quote(t, safe=""), u.quote_plus(t))'
          }}
          echo "{SEEN}"
          show "$ALL"; show "$OF_JOB"; show "$MULTI"; show "$QUOTES"; show "$REFERENCE"
          echo "a 7 stays: 17 + $SHORT"
          printf 'hunter2-'; sleep 0.3; printf 'Pl4in-zebra\\n'
          for command in notice warning error debug group; do echo "::$command::$ALL $REFERENCE"; done
          echo "::notice title=$ALL::x"; echo "::endgroup::"
          echo "value=$ALL $REFERENCE $QUOTES" >> "$WATERFLOW_OUTPUT"
          {{ echo "FROM_STEP<<END"; printf '%s\\n' "$MULTI"; echo END; }} >> "$GITHUB_ENV"
          echo "$ALL" >> "${{GITHUB_STEP_SUMMARY:-/dev/null}}"
        env:
          MULTI: ${{{{ secrets.MULTI }}}}
          QUOTES: ${{{{ secrets.QUOTES }}}}
          SHORT: ${{{{ secrets.SHORT }}}}
          REFERENCE: ${{{{ secrets.REFERENCE }}}}
      - name: Spliced into the script
        run: |
          echo "${{{{ secrets.PLAIN }}}}" ${{{{ secrets.REFERENCE }}}}
          echo "$FROM_STEP ${{{{ steps.out.outputs.value }}}}"
      - name: Masked at run
        run: |
          made="generated-$(printf 'at-run-%s' 77142)"
          echo "::add-mask::$made"; echo "$made"; echo "made=$made" >> "$WATERFLOW_OUTPUT"
          echo "MADE=$made" >> "$GITHUB_ENV"
      - run: echo "again $MADE"
      - uses: env/set
        with: {{name: KEPT, value: "${{{{ secrets.PLAIN }}}}"}}
      - uses: http/request
        continue-on-error: true
        with: {{url: "http://127.0.0.1:9/${{{{ secrets.PLAIN }}}}?t=${{{{ secrets.REFERENCE }}}}", timeout: 2}}
      - name: Held
        run: 'touch %(go)s.held; while test ! -e %(go)s; do sleep 0.1; done; sleep 0.1 # ${{{{ secrets.PLAIN }}}}'
        rollback: {{run: 'echo "back ${{{{ secrets.PLAIN }}}} $KEPT"'}}
      - name: Fails
        run: 'echo "$A" >&2; echo "::error::$A"; exit 3'
        env: {{A: "${{{{ secrets.PLAIN }}}} ${{{{ secrets.REFERENCE }}}}"}}
        retry: {{max-attempts: 2, initial-interval: 0.1}}
    on-failure: [{{run: 'echo "failed $ALL"; cat /nonexistent/"$ALL"'}}]
    finally: [{{uses: file/read, with: {{path: "/nonexistent/${{{{ secrets.REFERENCE }}}}"}}}}]
"""


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def leaky(site: Site, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[Run]]:
    """The run, stopped in the middle while processes are looked at, and what was made of it by retries; all ended."""
    go = tmp_path_factory.mktemp("go") / "go"
    run = await site.submit(FILE.replace("%(go)s", str(go)), secrets=GIVEN)

    async def held() -> bool:
        return go.with_suffix(".held").exists()

    await until(held, "the run waits in its middle", 60)
    PROCESSES.update(_processes())
    await run.pause("to see that it says nothing")
    await run.resume()
    go.touch()
    state = await run.wait(180)
    assert state.state is State.FAILED, state
    again = await run.retry("failed")
    await again.wait(180)
    whole = await run.retry("all")
    await whole.wait(180)
    yield [run, again, whole]


PROCESSES: dict[str, tuple[bytes, bytes]] = {}
"""What every process of this machine showed in the middle of the run: arguments and environment, by pid."""


def _processes() -> Iterator[tuple[str, tuple[bytes, bytes]]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield entry.name, ((entry / "cmdline").read_bytes(), (entry / "environ").read_bytes())
            except OSError:
                continue


class TestSearch:
    """That the search would find what it looks for."""

    @pytest.mark.parametrize("name", list(SECRET))
    def test_every_form_of_every_value(self, name: str) -> None:
        for form in forms(SECRET[name]):
            assert name in found_in(b"x" + form + b"y", SECRET), form

    @on_the_stack
    @pytest.mark.usefixtures("leaky")
    async def test_what_is_no_secret_is_found(self, site: Site):
        found = found_below(site.root, {"SEEN": SEEN}, but=("keys.json",))
        places = {path.split("/")[0] for path in found}
        assert {"agents", "server"} <= places  # the spool and the store of logs


@on_the_stack
@pytest.mark.usefixtures("leaky")
class TestWhatIsStored:
    async def test_temporal_server_and_agents_have_no_value_in_any_file(self, site: Site):
        assert found_below(site.root, SECRET, but=("keys.json", "held/")) == {}

    async def test_temporal_has_what_is_no_secret_sealed_as_well(self, site: Site):
        assert found_below(site.root / "temporal", {"SEEN": SEEN}) == {}

    async def test_no_file_of_an_attempt_is_left(self, site: Site):
        work = site.root / "agents" / "web-01" / "work"
        assert [str(path) for path in work.rglob("*") if path.is_file()] == []


@on_the_stack
@pytest.mark.usefixtures("leaky")
class TestWhatIsShown:
    async def test_no_answer_of_the_api(self, site: Site, leaky: list[Run]):
        answers = {path: data async for path, data in _answers(site, leaky)}
        assert {path: found_in(data, SECRET) for path, data in answers.items() if found_in(data, SECRET)} == {}
        assert sum(SEEN.encode() in data for data in answers.values()) >= 3

    async def test_no_plan_and_no_comparison(self, site: Site, leaky: list[Run]):
        text = FILE.replace("name: leaky", "name: changed", 1)
        planned = await site.client.plan(text, vars={"seen": f"not {GIVEN['PLAIN']}"}, secrets=GIVEN)
        compared = await leaky[0].edit(text, dry_run=True)
        assert found_in(repr((planned, compared)).encode(), SECRET) == set()

    async def test_no_approval(self, site: Site):
        file = """
            secrets: {PLAIN: {required: true}}
            jobs:
              ask:
                runs-on: web
                steps:
                  - {uses: approval, with: {message: "with ${{ secrets.PLAIN }}?"}}
                  - {id: made, uses: data/transform, with: {both: "a ${{ secrets.PLAIN }}"}}
                  - {uses: fail, with: {message: "no ${{ secrets.PLAIN }}"}}
        """
        run = await site.submit(file, secrets={"PLAIN": GIVEN["PLAIN"]})

        async def asked() -> bool:
            return "with ***?" in repr(await run.status())

        await until(asked, "the approval is asked for, masked")
        await run.approve()
        ended = repr((await run.wait(180), [event async for event in run.events()]))
        assert "no ***" in ended
        assert found_in(ended.encode(), SECRET) == set()

    async def test_no_event_and_no_line(self, leaky: list[Run]):
        for run in leaky:
            records = [repr(record) async for record in run.logs()]
            events = [repr(event) async for event in run.events()]
            assert found_in("\n".join(records + events).encode(), SECRET) == set()

    async def test_one_character_is_not_masked_everywhere(self, leaky: list[Run]):
        texts = [record.text async for record in leaky[0].logs()]
        assert "a 7 stays: 17 + 7" in texts

    async def test_no_command_line(self):
        assert {pid for pid, (arguments, _) in PROCESSES.items() if found_in(arguments, SECRET)} == set()

    async def test_no_environment_but_that_of_the_steps_own_processes(self, site: Site, leaky: list[Run]):
        agent = site.agents["web-01"].process
        assert agent is not None
        holders = {pid: data for pid, (_, data) in PROCESSES.items() if found_in(data, SECRET)}
        holders.pop(str(agent.pid))  # its own SHOP_TOKEN
        ours = f"WATERFLOW_ATTEMPT={leaky[0].id}/".encode()
        assert any(ours in data for data in holders.values())
        # Those of other runs: of these tests, when they were killed on this machine before.
        assert all(b"WATERFLOW_ATTEMPT=" in data for data in holders.values())


async def _answers(site: Site, runs: list[Run]) -> AsyncIterator[tuple[str, bytes]]:
    paths = ["/v1/workflows", "/v1/agents", "/v1/nodes"]
    for run in runs:
        of_run = f"/v1/workflows/{run.id}"
        middle = (await run.status()).started
        assert middle is not None
        moment = middle.isoformat().replace("+00:00", "Z")
        paths += [of_run, *(f"{of_run}?{query}" for query in ("view=summary", "view=full", f"at={moment}"))]
        paths += [f"{of_run}/{what}" for what in ("plan", "definition", "outputs", "logs", "logs?format=ndjson")]
    for path in paths:
        yield path, await asyncio.to_thread(_get, site.url + path)


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=120) as answer:
        return answer.read()
