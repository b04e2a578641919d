"""What the answers of agents mean for a run."""

from __future__ import annotations

from waterflow_sdk.wire import AgentRef, SecretAnswer
from waterflow_server.inquiry import Demand, Demands, Finding, Lack
from waterflow_server.inquiry._judge import MAX_LACKS, Answers, judge, questions

HAS = SecretAnswer()
LACKS = SecretAnswer(code="secret-missing", message="secret S: it is not there")


def demands(*wanted: Demand, agents: int = 2) -> Demands:
    """What is asked of agents a0, a1, …"""
    names = [f"a{number}" for number in range(agents)]
    return Demands(agents=[AgentRef(id=f"id-{name}", name=name) for name in names], demands=list(wanted))


def demand(*, every: bool, agents: tuple[int, ...] = (0, 1), job: str = "use", segments: tuple[str, ...] = ("s",)):
    return Demand(job=job, segments=list(segments), agents=list(agents), every=every)


def lack(agent: str, job: str = "use") -> Lack:
    return Lack(job=job, agent=agent, code=LACKS.code, message=LACKS.message)


def answers(*given: SecretAnswer | None) -> Answers:
    """What a0, a1, … say of the segment ``s``; None = nothing."""
    return {place: {} if answer is None else {"s": answer} for place, answer in enumerate(given)}


class TestQuestions:
    def test_each_agent_is_asked_once_for_all_that_any_job_needs_of_it(self) -> None:
        first = demand(every=False, segments=("s", "t"))
        asked = demands(first, demand(every=True, agents=(1,), segments=("t", "u")))
        assert questions(asked) == {0: ["s", "t"], 1: ["s", "t", "u"]}


class TestEvery:
    def test_one_that_lacks_it_is_too_many(self) -> None:
        assert judge(demands(demand(every=True)), answers(HAS, LACKS)) == Finding(lacks=[lack("a1")])

    def test_no_answer_is_no_lack(self) -> None:
        assert judge(demands(demand(every=True)), answers(HAS, None)) == Finding()


class TestAny:
    def test_those_that_lack_it_are_left_out(self) -> None:
        assert judge(demands(demand(every=False)), answers(LACKS, HAS)) == Finding(lacking={"use": ["id-a0"]})

    def test_one_that_gave_no_answer_may_have_it(self) -> None:
        assert judge(demands(demand(every=False)), answers(LACKS, None)) == Finding(lacking={"use": ["id-a0"]})

    def test_all_that_lack_it_are_an_error(self) -> None:
        found = judge(demands(demand(every=False)), answers(LACKS, LACKS))
        assert found == Finding(lacks=[lack("a0"), lack("a1")])

    def test_one_of_two_secrets_is_not_enough(self) -> None:
        asked = demands(demand(every=False, agents=(0,), segments=("s", "t")))
        assert judge(asked, {0: {"s": HAS, "t": LACKS}}) == Finding(lacks=[lack("a0")])


class TestSize:
    def test_what_is_listed_is_bounded_and_the_rest_counted(self) -> None:
        places = tuple(range(MAX_LACKS + 7))
        asked = demands(demand(every=True, agents=places), agents=len(places))
        found = judge(asked, answers(*[LACKS] * len(places)))
        assert (len(found.lacks), found.more) == (MAX_LACKS, 7)

    def test_so_is_what_an_agent_says(self) -> None:
        long = SecretAnswer(code="secret-missing", message="x" * 10_000)
        (found,) = judge(demands(demand(every=True, agents=(0,))), {0: {"s": long}}).lacks
        assert len(found.message) == 500
