"""The steps and blocks of a job, whatever they are nested in."""

from __future__ import annotations

from collections.abc import Iterator

from waterflow_dsl import model


def all_blocks(job: model.Job) -> Iterator[model.Block]:
    """Every step and block of a job, outer before inner."""
    yield from below(job.steps)
    yield from below(job.on_failure)
    yield from below(job.finally_)
    if job.rollout:
        yield from below(job.rollout.check)


def below(blocks: tuple[model.Block, ...]) -> Iterator[model.Block]:
    """Every step and block of a list, outer before inner."""
    for block in blocks:
        yield block
        for inner in children(block):
            yield from below(inner)


def children(block: model.Block) -> tuple[tuple[model.Block, ...], ...]:
    """The lists of steps inside a block."""
    match block:
        case model.Step():
            return (block.rollback,) if block.rollback else ()
        case model.Parallel():
            return (block.parallel,)
        case model.Branch():
            return (block.then, block.else_)
        case _:
            return (block.steps,)
