"""Secrets that the agent reads: what a task has in place of segments, and when nothing of it runs."""

from __future__ import annotations

from typing import Any

import pytest

from waterflow_agent._secrets import SecretCheck, SecretResolver
from waterflow_sdk.codec import KeyRing, PayloadCodec
from waterflow_sdk.secrets import (
    AllowList,
    SecretMissing,
    SecretNotAllowed,
    SecretReferenceInvalid,
    SecretSources,
    make_segment,
)
from waterflow_sdk.wire import AgentRef, AttemptKey, NodeTask, RunInfo, SecretAnswer

CODEC = PayloadCodec(KeyRing(active="k1", keys={"k1": bytes(32)}))
TOKEN, OTHER = make_segment("TOKEN", "env:TOKEN", CODEC), make_segment("OTHER", "env:OTHER", CODEC)


def resolver(**environ: str) -> SecretResolver:
    sources = SecretSources("agent web-01", AllowList(["env:TOKEN", "env:OTHER"]), environ=environ)
    return SecretResolver(CODEC, sources)


def task(**given: Any) -> NodeTask:
    return NodeTask(
        key=AttemptKey(run="r1", job="a", step="steps[0]", attempt=1),
        node="shell",
        agent=AgentRef(id="web-01", name="web-01"),
        run=RunInfo(id="r1", name="r"),
        **given,
    )


class TestValues:
    async def test_are_in_inputs_environment_and_secrets_and_are_masked(self) -> None:
        given = task(
            inputs={"run": f"echo {TOKEN}", "list": [TOKEN, 1]},
            env={"AUTH": f"Bearer {TOKEN}"},
            secrets={"TOKEN": TOKEN, "BOTH": f"user:{TOKEN}", "PLAIN": "p"},
        )
        found = await resolver(TOKEN="value").resolve(given)
        assert found.inputs == {"run": "echo value", "list": ["value", 1]}
        assert found.env == {"AUTH": "Bearer value"}
        assert found.secrets == {"TOKEN": "value", "BOTH": "user:value", "PLAIN": "p"}
        assert found.masks == ["value"]

    async def test_a_task_without_segments_is_left_alone(self) -> None:
        given = task(inputs={"run": "true"}, secrets={"PLAIN": "p"})
        assert await resolver().resolve(given) is given

    async def test_a_value_is_not_looked_into(self) -> None:
        found = await resolver(TOKEN=OTHER, OTHER="other").resolve(task(inputs={"run": TOKEN}))
        assert found.inputs == {"run": OTHER}


class TestMissing:
    async def test_what_another_step_of_the_job_reads(self) -> None:
        given = task(inputs={"run": "true"}, secrets={"TOKEN": TOKEN}, needed_secrets=["token"])
        with pytest.raises(SecretMissing) as caught:
            await resolver().resolve(given)
        assert str(caught.value) == "secret TOKEN: env:TOKEN: agent web-01 has no such environment variable"

    async def test_what_only_other_jobs_read_is_left_out(self) -> None:
        given = task(inputs={"run": TOKEN}, secrets={"TOKEN": TOKEN, "OTHER": OTHER}, needed_secrets=["TOKEN"])
        found = await resolver(TOKEN="value").resolve(given)
        assert (found.inputs, found.secrets) == ({"run": "value"}, {"TOKEN": "value"})

    async def test_what_the_settings_do_not_list(self) -> None:
        home = make_segment("HOME", "env:HOME", CODEC)
        with pytest.raises(SecretNotAllowed) as caught:
            await resolver(HOME="/root").resolve(task(inputs={"run": home}))
        assert str(caught.value) == (
            "secret HOME: agent web-01 may not read env:HOME; its setting secrets.allow does not list it"
        )

    async def test_a_segment_that_an_expression_changed(self) -> None:
        with pytest.raises(SecretReferenceInvalid) as caught:
            await resolver(TOKEN="value").resolve(task(inputs={"run": TOKEN.upper()}, secrets={"TOKEN": TOKEN}))
        assert str(caught.value) == (
            "a secret that the agent reads was changed by an expression before it was known: it may only stand alone "
            "or in a text"
        )


class TestEnvironment:
    def test_variables_that_are_secrets_are_not_for_steps(self) -> None:
        assert [name for name in ("TOKEN", "OTHER", "PATH") if resolver().hides(name)] == ["TOKEN", "OTHER"]


class TestTheQuestion:
    async def test_is_answered_for_each_without_a_value(self) -> None:
        home = make_segment("HOME", "env:HOME", CODEC)
        answers = await SecretCheck(resolver(TOKEN="value", HOME="/root")).check([TOKEN, OTHER, home])
        assert answers == [
            SecretAnswer(),
            SecretAnswer(
                code="secret-missing", message="secret OTHER: env:OTHER: agent web-01 has no such environment variable"
            ),
            SecretAnswer(
                code="secret-not-allowed",
                message="secret HOME: agent web-01 may not read env:HOME; its setting secrets.allow does not list it",
            ),
        ]

    async def test_says_where_another_try_may_be_luckier(self) -> None:
        sources = SecretSources("agent web-01", AllowList(["vault:secret/shop/*"]), environ={})
        segment = make_segment("DB", "vault:secret/shop/db#password", CODEC)
        (answer,) = await SecretCheck(SecretResolver(CODEC, sources)).check([segment])
        assert (answer.code, answer.retryable) == ("secret-unavailable", True)

    async def test_of_a_segment_that_nobody_made_is_refused(self) -> None:
        (answer,) = await SecretCheck(resolver(TOKEN="value")).check(["{wfsecret:Zm9yZ2Vk}"])
        assert answer.code == "secret-reference"
