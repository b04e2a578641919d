"""Steps with `run-as`: whose their processes are, what they see and may do, and that they end."""

from __future__ import annotations

import pytest

from waterflow_sdk.wire import RunState, State

from .conftest import Deputies

pytestmark = pytest.mark.asyncio(loop_scope="session")


def outputs(state: RunState, step: int) -> dict[str, object]:
    assert state.state is State.SUCCESS, [attempt.error for each in state.jobs[0].steps for attempt in each.attempts]
    return state.jobs[0].steps[step].outputs


class TestWho:
    async def test_the_step_the_job_and_the_defaults_say_it(self, deputies: Deputies) -> None:
        state = await deputies.site.run("""
            defaults: {run-as: nobody}
            vars: {own: ""}
            jobs:
              a:
                runs-on: deputy
                steps:
                  - run: id -un; id -gn; echo "$HOME $USER $LOGNAME"
                  - {run: id -un, run-as: "${{ vars.own }}"}
                  - {run: id -un, run-as: daemon}
        """)
        assert outputs(state, 0)["stdout"] == "nobody\nnogroup\n/nonexistent nobody nobody"
        assert outputs(state, 1)["stdout"] == "daemon"
        assert outputs(state, 2)["stdout"] == "daemon"

    async def test_an_agent_that_is_root_needs_no_sudo(self, deputies: Deputies) -> None:
        """The step has no right of root's left, and no group of it."""
        state = await deputies.site.run("""
            jobs:
              a:
                runs-on: warden
                steps:
                  - run-as: nobody
                    env: {VALUE: "of the step"}
                    run: |
                      id -un; id -Gn; echo "$HOME $VALUE"; grep CapEff /proc/self/status
                      echo out=1 >> "$GITHUB_OUTPUT"
        """)
        assert outputs(state, 0)["stdout"] == "nobody\nnogroup\n/nonexistent of the step\nCapEff:\t0000000000000000"
        assert outputs(state, 0)["out"] == "1"


class TestFiles:
    @pytest.mark.parametrize("agent", ["deputy", "warden"])
    async def test_steps_of_both_users_share_the_workspace(self, deputies: Deputies, agent: str) -> None:
        """Also what was there before, directories, and files that another one has put in their place."""
        state = await deputies.site.run(f"""
            jobs:
              a:
                runs-on: {agent}
                steps:
                  - run: mkdir -p tree/deep; echo first > tree/deep/file; echo ./tool > run.sh; chmod 600 tree/deep/file
                  - run-as: nobody
                    run: echo second >> tree/deep/file; mkdir mine; echo third > mine/file; sh -c 'echo x > mine/new'
                  - run: echo fourth >> mine/file; rm mine/new; cat tree/deep/file mine/file
                  - {{run: cat mine/file, run-as: nobody}}
        """)
        assert outputs(state, 2)["stdout"] == "first\nsecond\nthird\nfourth"
        assert outputs(state, 3)["stdout"] == "third\nfourth"

    async def test_outputs_environment_and_path_arrive(self, deputies: Deputies) -> None:
        state = await deputies.site.run("""
            jobs:
              a:
                runs-on: deputy
                steps:
                  - id: give
                    run-as: nobody
                    run: |
                      echo version=7 >> "$WATERFLOW_OUTPUT"
                      echo COLOUR=red >> "$GITHUB_ENV"
                      echo /opt/tool/bin >> "$GITHUB_PATH"
                      test -d "${RUNNER_TEMP:-/tmp}"
                  - {run: 'echo "${{ steps.give.outputs.version }} $COLOUR $PATH"', run-as: nobody}
        """)
        assert str(outputs(state, 1)["stdout"]).startswith("7 red /opt/tool/bin:")

    async def test_an_output_file_that_became_a_link_is_not_followed(self, deputies: Deputies) -> None:
        state = await deputies.site.run("""
            jobs:
              a:
                runs-on: deputy
                steps:
                  - run-as: nobody
                    run: ln -sf /etc/shadow "$WATERFLOW_OUTPUT"
        """)
        error = state.jobs[0].steps[0].attempts[0].error
        assert error is not None
        assert error.message == "GITHUB_OUTPUT cannot be read: Too many levels of symbolic links"

    async def test_the_user_gets_into_nothing_else_of_the_agent(self, deputies: Deputies) -> None:
        state = await deputies.site.run("""
            jobs:
              a:
                runs-on: deputy
                steps:
                  - run-as: nobody
                    run: |
                      cd "$PWD"
                      for place in .. ../.. ../../.. ../../../attempts ../../../logs; do
                        ls "$place" >/dev/null 2>&1 && echo "sees $place"
                      done
                      true
        """)
        assert outputs(state, 0)["stdout"] == ""

    async def test_the_step_starts_where_only_that_user_may(self, deputies: Deputies) -> None:
        state = await deputies.site.run("""
            jobs:
              a:
                runs-on: deputy
                steps:
                  - {run: mkdir -m 700 private, run-as: nobody}
                  - {run: pwd, run-as: nobody, working-directory: private}
        """)
        assert str(outputs(state, 1)["stdout"]).endswith("/private")


class TestEnvironment:
    async def test_values_arrive_whatever_is_in_them(self, deputies: Deputies) -> None:
        state = await deputies.site.run("""
            jobs:
              a:
                runs-on: deputy
                steps:
                  - run-as: nobody
                    env: {A: "line 1\\nline 2", B: "a,b=c d", "INPUT_WITH-DASH": x, HOME: /srv}
                    run: printf '%s|' "$A" "$B" "$HOME"; env | grep -c ^INPUT_WITH-DASH=x
        """)
        assert outputs(state, 0)["stdout"] == "line 1\nline 2|a,b=c d|/srv|1"

    async def test_a_secret_is_in_no_list_of_processes(self, deputies: Deputies) -> None:
        state = await deputies.site.run(
            """
            secrets: {PASSWORD: {required: true}}
            jobs:
              a:
                runs-on: deputy
                steps:
                  - run-as: nobody
                    env: {PASSWORD: "${{ secrets.PASSWORD }}"}
                    run: |
                      printf %s "$PASSWORD" > pattern
                      cat /proc/[0-9]*/cmdline > lines 2>/dev/null || true
                      grep -c sudo -a lines
                      echo "found $(grep -acFf pattern lines) in arguments, $(grep -cFf pattern pattern) in the pattern"
            """,
            secrets={"PASSWORD": "correct-horse-4711"},
        )
        assert str(outputs(state, 0)["stdout"]).endswith("found 0 in arguments, 1 in the pattern")

    async def test_nothing_of_the_agents_own_session_is_handed_on(self, deputies: Deputies) -> None:
        state = await deputies.site.run("""
            jobs:
              a:
                runs-on: deputy
                steps:
                  - {run-as: nobody, run: "env | grep -E '^(WATERFLOW_RUN|TEMPORAL|XDG_|SSH_)' || true"}
        """)
        assert outputs(state, 0)["stdout"] == ""
