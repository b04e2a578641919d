"""The line of a concurrency group: who is let in, who is told what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waterflow_server.concurrency import LockMember, LockView, OnConflict, Verdict
from waterflow_server.concurrency._queue import REMEMBERED, LockQueue, why_waiting
from waterflow_server.concurrency._wire import LockMemory

GRANTED = Verdict(granted=True)


def member(name: str, on_conflict: str = "queue", *, within: str = "") -> LockMember:
    whole = [f"run/{within}"] if within else []
    return LockMember(id=f"run/{name}", on_conflict=OnConflict(on_conflict), within=whole)


def line(*members: LockMember) -> LockQueue:
    """A queue in which these stand, told all that there was to tell."""
    queue = LockQueue(LockMemory(group="prod"))
    for each in members:
        queue.enqueue(each)
    queue.outbox.clear()
    return queue


def told(queue: LockQueue) -> list[tuple[str, Verdict]]:
    """What is to be delivered; afterwards it is."""
    found = [tuple(notice) for notice in queue.outbox]
    queue.outbox.clear()
    return found


def refused(reason: str) -> Verdict:
    return Verdict(granted=False, reason=reason)


class TestQueue:
    def test_the_first_is_let_in_and_the_others_wait_in_order(self):
        queue = LockQueue(LockMemory(group="prod"))
        for name in "abc":
            queue.enqueue(member(name))
        assert told(queue) == [("run/a", GRANTED)]
        assert queue.view() == LockView(group="prod", holder="run/a", waiting=["run/b", "run/c"])

    def test_who_leaves_lets_the_next_one_in(self):
        queue = line(member("a"), member("b"), member("c"))
        queue.leave("run/a")
        assert told(queue) == [("run/b", GRANTED)]
        queue.leave("run/b")
        assert told(queue) == [("run/c", GRANTED)]
        queue.leave("run/c")
        assert queue.empty

    def test_who_gives_up_waiting_is_passed_over(self):
        queue = line(member("a"), member("b"), member("c"))
        queue.leave("run/b")
        assert told(queue) == []
        queue.leave("run/a")
        assert told(queue) == [("run/c", GRANTED)]


class TestAgain:
    def test_to_get_in_line_twice_changes_nothing(self):
        queue = line(member("a"), member("b"))
        queue.enqueue(member("b"))
        assert queue.view().waiting == ["run/b"]
        assert told(queue) == []

    def test_the_holder_that_asks_again_hears_again_that_it_has_the_group(self):
        queue = line(member("a"), member("b"))
        queue.enqueue(member("a"))
        assert told(queue) == [("run/a", GRANTED)]
        assert queue.view() == LockView(group="prod", holder="run/a", waiting=["run/b"])

    @pytest.mark.parametrize("on_conflict", ["queue", "cancel"])
    def test_a_late_message_of_a_former_member_is_ignored(self, on_conflict):
        queue = line(member("a", on_conflict), member("b"))
        queue.leave("run/a")
        queue.outbox.clear()
        queue.enqueue(member("a", on_conflict))
        assert told(queue) == []
        assert queue.view() == LockView(group="prod", holder="run/b")

    def test_who_left_before_its_message_came_never_gets_in(self):
        queue = line()
        queue.leave("run/a")
        queue.enqueue(member("a"))
        assert queue.empty

    def test_former_members_are_forgotten_in_the_end(self):
        queue = line()
        for number in range(REMEMBERED + 10):
            queue.leave(f"run/{number}")
        assert len(queue.memory().departed) == REMEMBERED


class TestCancel:
    def test_the_newcomer_ends_the_holder_and_who_waits_and_is_next(self):
        queue = line(member("a"), member("b"), member("c"))
        queue.enqueue(member("d", "cancel"))
        reason = refused("run d took over concurrency group prod (on-conflict: cancel)")
        assert told(queue) == [("run/b", reason), ("run/c", reason), ("run/a", reason)]
        assert queue.view() == LockView(group="prod", holder="run/a", waiting=["run/d"])

    def test_it_is_let_in_only_when_the_holder_has_ended(self):
        queue = line(member("a"), member("b", "cancel"))
        queue.leave("run/a")
        assert told(queue) == [("run/b", GRANTED)]

    def test_the_holder_is_told_once_so_that_its_last_steps_are_not_ended_too(self):
        queue = line(member("a"), member("b", "cancel"))
        queue.enqueue(member("c", "cancel"))
        assert told(queue) == [("run/b", refused("run c took over concurrency group prod (on-conflict: cancel)"))]

    def test_the_next_holder_can_be_told_again(self):
        queue = line(member("a"), member("b", "cancel"))
        queue.leave("run/a")
        queue.outbox.clear()
        queue.enqueue(member("c", "cancel"))
        assert told(queue) == [("run/b", refused("run c took over concurrency group prod (on-conflict: cancel)"))]

    def test_a_free_group_is_just_taken(self):
        queue = LockQueue(LockMemory(group="prod"))
        queue.enqueue(member("a", "cancel"))
        assert told(queue) == [("run/a", GRANTED)]


class TestReject:
    def test_the_newcomer_ends_with_the_name_of_the_holder(self):
        queue = line(member("a"))
        queue.enqueue(member("b", "reject"))
        reason = "concurrency group prod is held by run a, and on-conflict is reject"
        assert told(queue) == [("run/b", refused(reason))]
        assert queue.view() == LockView(group="prod", holder="run/a")

    def test_a_free_group_is_just_taken(self):
        queue = LockQueue(LockMemory(group="prod"))
        queue.enqueue(member("a", "reject"))
        assert told(queue) == [("run/a", GRANTED)]


class TestAPartOfTheHolder:
    @pytest.mark.parametrize("on_conflict", list(OnConflict))
    def test_would_wait_for_ever_and_is_refused(self, on_conflict):
        queue = line(member("a"))
        queue.enqueue(member("a/build", on_conflict, within="a"))
        reason = "concurrency group prod is held by run a that it is a part of, so it would wait for ever"
        assert told(queue) == [("run/a/build", refused(reason))]


class TestMemory:
    def test_a_queue_goes_on_from_it(self):
        queue = line(member("a"), member("b", "cancel"), member("c"))
        again = LockQueue(queue.memory())
        assert again.view() == queue.view()
        again.enqueue(member("d", "cancel"))
        assert "run/a" not in dict(told(again)), "the holder was told before"


class TestWhyWaiting:
    VIEW = LockView(group="prod", holder="run/a", waiting=["run/b", "run/c/deploy[web-01]", "run/d"])

    @pytest.mark.parametrize(
        ("who", "expected"),
        [
            ("run/b", "concurrency group prod is held by run a; this one is next"),
            ("run/d", "concurrency group prod is held by run a; 2 before this one"),
            ("run/a", ""),
            ("run/z", ""),
        ],
    )
    def test_names_the_holder_and_the_place(self, who, expected):
        assert why_waiting(self.VIEW, who) == expected

    def test_names_a_job_with_its_run(self):
        view = LockView(group="prod", holder="run/c/deploy[web-01]", waiting=["run/b"])
        expected = "concurrency group prod is held by job deploy[web-01] of run c; this one is next"
        assert why_waiting(view, "run/b") == expected


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("enqueue"), st.integers(0, 8), st.sampled_from(list(OnConflict))),
        st.tuples(st.just("leave"), st.integers(0, 8), st.none()),
    ),
    max_size=60,
)


class TestAnyOrderOfMessages:
    @given(EVENTS)
    def test_lets_one_in_at_a_time_each_at_most_once_and_leaves_nobody_behind(self, events):
        queue, inside, ever = LockQueue(LockMemory(group="prod")), None, []
        for what, number, policy in [*events, *(("leave", number, None) for number in range(9))]:
            if what == "enqueue":
                queue.enqueue(member(str(number), policy))
            else:
                queue.leave(f"run/{number}")
                inside = None if inside == f"run/{number}" else inside
            for who, verdict in told(queue):
                if verdict.granted and who != inside:
                    assert inside is None, f"{who} was let in while {inside} was there"
                    assert who not in ever, f"{who} was let in twice"
                    inside = who
                    ever.append(who)
        assert queue.empty
        assert queue.view().waiting == []
