"""Secrets that are not given but read: by the server at the submit, by agents just before a step."""

from pathlib import Path

import pytest
from harness import Site
from harness.files import until_lines
from harness.site import until

from secrecy._search import TOKEN
from secrecy._vault import Vault
from waterflow_sdk.client import InvalidRequest, Run, ServerUnavailable
from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def log_of(run: Run) -> str:
    """The whole log as text."""
    return "\n".join([record.text async for record in run.logs()])


def text_of(path: Path) -> str:
    """What is in the file, nothing where it is not there."""
    return path.read_text() if path.exists() else ""


def names_in(path: Path) -> list[str]:
    """The files of a directory."""
    return sorted(each.name for each in path.iterdir())


class TestAgents:
    async def test_the_step_gets_the_value_and_nobody_sees_it(self, site: Site, tmp_path: Path):
        run = await site.submit(f"""
            secrets:
              TOKEN: {{from: "env:SHOP_TOKEN"}}
              KEY: {{from: "file:{site.root}/held/key.pem"}}
            jobs:
              deploy:
                runs-on: web
                outputs: {{seen: "${{{{ steps.use.outputs.seen }}}}"}}
                steps:
                  - id: use
                    run: |
                      printf '%s\\n' "$AUTH" "$KEY" > {tmp_path}/got
                      echo "got $AUTH, in the environment: ${{SHOP_TOKEN-nothing}}"
                      echo "seen=$AUTH" >> "$WATERFLOW_OUTPUT"
                    env:
                      AUTH: "Bearer ${{{{ secrets.TOKEN }}}}"
                      KEY: ${{{{ secrets.KEY }}}}
        """)
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        assert (tmp_path / "got").read_text() == (
            f"Bearer {TOKEN}\n-----BEGIN KEY-----\nagent/file+5521==\n-----END KEY-----\n"
        )
        assert "got Bearer ***, in the environment: nothing" in await log_of(run)
        assert state.jobs[0].outputs == {"seen": "Bearer ***"}

    async def test_an_agent_that_lacks_one_runs_no_step_of_the_job(self, site: Site, tmp_path: Path):
        state = await site.run(f"""
            secrets: {{TOKEN: {{from: "env:SHOP_TOKEN"}}}}
            jobs:
              other:
                runs-on: bare
                outputs: {{where: "${{{{ steps.where.outputs.group }}}}"}}
                steps: [{{id: where, run: 'touch {tmp_path}/other; echo group=bare >> "$WATERFLOW_OUTPUT"'}}]
              deploy:
                needs: other
                runs-on: ${{{{ needs.other.outputs.where }}}}  # nobody knows before the run, so it begins
                steps:
                  - run: touch {tmp_path}/first
                  - run: deploy
                    env: {{T: "${{{{ secrets.TOKEN }}}}"}}
        """)
        assert state.state is State.FAILED
        error = state.jobs[1].steps[0].attempts[0].error
        assert error is not None
        assert (error.code, error.message) == (
            "secret-not-allowed",
            "secret TOKEN: agent bare-01 may not read env:SHOP_TOKEN; its setting secrets.allow does not list it",
        )
        assert names_in(tmp_path) == ["other"]

    async def test_one_that_is_missing(self, site: Site):
        state = await site.run(f"""
            secrets: {{KEY: {{from: "file:{site.root}/held/none.pem"}}}}
            jobs: {{deploy: {{runs-on: web, steps: [{{run: 'true', env: {{T: "${{{{ secrets.KEY }}}}"}}}}]}}}}
        """)
        assert state.error is not None
        assert (state.error.code, state.error.message) == (
            "secret-missing",
            "nothing was started, because secrets are missing: job deploy on web-01: secret KEY: "
            f"file:{site.root}/held/none.pem: agent web-01 cannot read it: No such file or directory. "
            "Let the agents read them, or send the jobs elsewhere, and retry the run",
        )

    async def test_a_called_workflow_gets_it_from_its_caller(self, site: Site, tmp_path: Path):
        called = f"""
on: {{call: {{secrets: {{KEY: {{required: true}}}}}}}}
jobs:
  use:
    runs-on: web
    steps: [{{run: 'printf %s "$K" > {tmp_path}/got', env: {{K: "${{{{ secrets.KEY }}}}"}}}}]
"""
        state = await site.run(
            """
            secrets: {TOKEN: {from: "env:SHOP_TOKEN"}}
            jobs: {call: {uses: ./called.yaml, secrets: {KEY: "a-${{ secrets.TOKEN }}-b"}}}
            """,
            files={"called.yaml": called},
        )
        assert state.state is State.SUCCESS, state.error
        assert (tmp_path / "got").read_text() == f"a-{TOKEN}-b"


class TestServer:
    FILE = """
        secrets: {TOKEN: {from: "%s", on: server, required: true}}
        jobs: {deploy: {runs-on: bare, steps: [{run: 'printf %%s "$T" > %s', env: {T: "${{ upper(secrets.TOKEN) }}"}}]}}
    """

    async def test_reads_its_own_at_the_submit(self, site: Site, tmp_path: Path):
        state = await site.run(self.FILE % ("env:SHOP_SERVER", tmp_path / "got"))
        assert state.state is State.SUCCESS, state.error
        assert (tmp_path / "got").read_text() == "OF-THE-SERVER-4417"

    async def test_nothing_that_its_settings_do_not_list(self, site: Site):
        with pytest.raises(InvalidRequest) as caught:
            await site.submit(self.FILE % ("env:PATH", "/dev/null"))
        assert "secret 'TOKEN': the server may not read env:PATH" in str(caught.value)


class TestSchedules:
    async def test_a_run_without_submitter_has_what_is_read(self, site: Site, tmp_path: Path):
        file = f"""
on: {{schedule: {{cron: "0 0 1 1 *"}}}}
secrets: {{TOKEN: {{required: true, from: "env:SHOP_TOKEN"}}, S: {{from: "env:SHOP_SERVER", on: server}}}}
jobs:
  work:
    runs-on: web
    steps: [{{run: 'printf %s "$T" > {tmp_path}/got', env: {{T: "${{{{ secrets.TOKEN }}}}, ${{{{ secrets.S }}}}"}}}}]
"""
        await site.client.definitions.apply("nightly", file)
        await site.client.schedules.trigger("nightly:1")

        async def done() -> bool:
            return text_of(tmp_path / "got") != ""

        await until(done, "the scheduled run has its secrets", 60)
        assert (tmp_path / "got").read_text() == f"{TOKEN}, of-the-server-4417"


@pytest.mark.usefixtures("vaulted")
class TestVault:
    """An agent that gets into a real Vault as an AppRole that may log in once, and the server with a token."""

    async def test_both_read_it(self, site: Site, tmp_path: Path):
        run = await site.submit(f"""
            secrets:
              DB: {{from: "vault:secret/shop/db#password"}}
              PORT: {{from: "vault:secret/shop/db#port"}}
              API: {{from: "vault:secret/shop/api#token"}}
              HOOK: {{from: "vault:secret/shop/hook#token", on: server}}
            jobs:
              deploy:
                runs-on: vaulted
                steps:
                  - run: printf '%s ' "$DB" "$PORT" "$API" "$HOOK" > {tmp_path}/got; echo "got $DB $PORT $API $HOOK"
                    env:
                      DB: ${{{{ secrets.DB }}}}
                      PORT: ${{{{ secrets.PORT }}}}
                      API: ${{{{ secrets.API }}}}
                      HOOK: ${{{{ secrets.HOOK }}}}
        """)
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        assert (tmp_path / "got").read_text() == "from-vault-6612 5432 from-vault-7713 from-vault-9935 "
        assert "got *** *** *** ***" in await log_of(run)

    async def test_what_the_agents_role_may_not_read(self, site: Site, vault: Vault):
        state = await site.run("""
            secrets: {DB: {from: "vault:secret/other/db#password"}}
            jobs: {deploy: {runs-on: vaulted, steps: [{run: 'true', env: {T: "${{ secrets.DB }}"}}]}}
        """)
        assert state.error is not None
        assert (state.error.code, state.error.message) == (
            "secret-unavailable",
            "nothing was started, because secrets are missing: job deploy on vault-01: secret DB: "
            f"vault:secret/other/db: Vault at {vault.address} answers HTTP 403: it does not let us read that. "
            "Let the agents read them, or send the jobs elsewhere, and retry the run",
        )

    async def test_what_the_servers_token_may_not_read(self, site: Site, vault: Vault):
        with pytest.raises(ServerUnavailable) as caught:
            await site.submit(TestServer.FILE % ("vault:secret/other/db#password", "/dev/null"))
        assert (
            f"secret 'TOKEN': vault:secret/other/db: Vault at {vault.address} answers HTTP 403: "
            "it does not let us read that"
        ) in caught.value.message

    async def test_attempts_go_on_until_a_vault_that_went_away_is_back_and_unsealed(
        self, site: Site, mortal_vault: Vault, vault_binary: Path, tmp_path: Path
    ):
        vault = mortal_vault
        vault.write("shop/after", password="from-vault-8824")
        run = await site.submit(f"""
            secrets: {{DB: {{from: "vault:secret/shop/after#password"}}}}
            jobs:
              before:
                runs-on: web
                outputs: {{group: "${{{{ steps.wait.outputs.group }}}}"}}
                steps:
                  - id: wait
                    run: |
                      echo > {tmp_path}/begun
                      until test -e {tmp_path}/go; do sleep 0.05; done
                      echo group=vaulted >> "$WATERFLOW_OUTPUT"
              deploy:
                needs: before
                runs-on: ${{{{ needs.before.outputs.group }}}}  # nobody knows before the run, so nobody is asked then
                steps:
                  - run: printf %s "$DB" > {tmp_path}/got
                    env: {{DB: "${{{{ secrets.DB }}}}"}}
                    retry: {{max-attempts: 500, initial-interval: 0.5, maximum-interval: 0.5}}
        """)

        async def told(text: str) -> None:
            async def holds() -> bool:
                state = await run.status()
                errors = [at.error for job in state.jobs for step in job.steps for at in step.attempts]
                return any(error is not None and text in error.message for error in errors)

            await until(holds, f"an attempt says {text!r}", 60)

        await until_lines(tmp_path / "begun", 1)
        vault.kill()
        (tmp_path / "go").touch()
        await told(f"Vault at {vault.address} cannot be asked")
        vault.start(vault_binary)
        await told(f"Vault at {vault.address} answers HTTP 503: it is sealed or in maintenance")
        vault.unseal()
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        assert (tmp_path / "got").read_text() == "from-vault-8824"
