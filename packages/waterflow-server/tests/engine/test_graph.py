"""What jobs become and what the jobs after them see."""

import pytest

from waterflow_dsl.plan import JobPlan
from waterflow_sdk.wire import AgentRef, ErrorInfo, JobState, State
from waterflow_server.engine.run._graph import Graph


def instance(name: str, state: State, **fields) -> JobState:
    return JobState(id=name.split("[")[0], instance=name, name=name, state=state, **fields)


def graph_of(**needs: tuple[str, ...]) -> Graph:
    return Graph(tuple(JobPlan(id=job, needs=wanted) for job, wanted in needs.items()))


class TestJobState:
    @pytest.mark.parametrize(
        ("states", "expected"),
        [
            ([State.SUCCESS, State.SUCCESS], State.SUCCESS),
            ([State.SUCCESS, State.FAILED, State.CANCELLED], State.FAILED),
            ([State.SUCCESS, State.TIMED_OUT], State.TIMED_OUT),
            ([State.SUCCESS, State.CANCELLED], State.CANCELLED),
            ([State.SKIPPED, State.SUCCESS], State.SUCCESS),
            ([State.SKIPPED, State.SKIPPED], State.SKIPPED),
            ([], State.SKIPPED),
        ],
    )
    def test_is_the_worst_of_its_instances(self, states, expected):
        record = graph_of(job=()).jobs["job"]
        record.instances = [instance(f"job[{number}]", state) for number, state in enumerate(states)]
        record.conclude()
        assert record.state is expected


class TestNeedsContext:
    def test_results_are_in_stable_order_and_outputs_of_the_last_to_finish(self):
        graph = graph_of(inspect=(), report=("inspect",))
        record = graph.jobs["inspect"]
        record.instances = [instance("inspect[a]", State.PENDING), instance("inspect[b]", State.PENDING)]
        agent = AgentRef(id="1", name="web-02")
        record.update(instance("inspect[b]", State.SUCCESS, outputs={"disk": "7"}, agent=agent))
        error = ErrorInfo(code="x", message="disk gone")
        record.update(instance("inspect[a]", State.FAILED, outputs={"disk": "9"}, error=error))
        record.conclude()
        assert graph.needs_context(graph.jobs["report"].plan) == {
            "inspect": {
                "result": "failure",
                "outputs": {"disk": "9"},
                "results": [
                    {
                        "agent": None,
                        "result": "failure",
                        "outputs": {"disk": "9"},
                        "error": "disk gone",
                        "matrix": None,
                        "item": None,
                    },
                    {
                        "agent": "web-02",
                        "result": "success",
                        "outputs": {"disk": "7"},
                        "error": None,
                        "matrix": None,
                        "item": None,
                    },
                ],
            }
        }

    def test_a_tolerated_failure_counts_as_success(self):
        graph = graph_of(build=(), deploy=("build",))
        graph.jobs["build"].state = State.FAILED
        graph.jobs["build"].tolerated = True
        assert graph.needs_succeeded(graph.jobs["deploy"].plan)
        assert graph.run_state() is State.SUCCESS


class TestStatusFunctions:
    def test_a_skipped_need_is_not_success(self):
        graph = graph_of(build=(), deploy=("build",))
        graph.jobs["build"].state = State.SKIPPED
        assert not graph.needs_succeeded(graph.jobs["deploy"].plan)
        assert not graph.ancestor_failed(graph.jobs["deploy"].plan)

    def test_failure_sees_ancestors_at_any_distance(self):
        graph = graph_of(build=(), test=("build",), clean=("test",))
        graph.jobs["build"].state = State.FAILED
        graph.jobs["test"].state = State.SKIPPED
        assert graph.ancestor_failed(graph.jobs["clean"].plan)


class TestRunState:
    @pytest.mark.parametrize(
        ("states", "expected"),
        [
            ((State.SUCCESS, State.SKIPPED), State.SUCCESS),
            ((State.SUCCESS, State.FAILED), State.FAILED),
            ((State.SUCCESS, State.TIMED_OUT), State.FAILED),
            ((State.FAILED, State.CANCELLED), State.FAILED),
            ((State.SUCCESS, State.CANCELLED), State.CANCELLED),
        ],
    )
    def test_follows_from_its_jobs(self, states, expected):
        graph = graph_of(one=(), two=())
        for record, state in zip(graph.jobs.values(), states, strict=True):
            record.state = state
        assert graph.run_state() is expected
