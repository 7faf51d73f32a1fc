"""The order of phases."""

from bench.figures import PhaseFigures
from bench.phases import NO_OP_WORKER, TICKET_WORKER, in_turns


async def test_kinds_take_turns_and_no_kind_is_always_first() -> None:
    order: list[str] = []

    async def phase(worker: str) -> PhaseFigures:
        order.append(worker)
        return PhaseFigures(1.0 if worker == NO_OP_WORKER else 2.0, {}, {}, [])

    rounds = await in_turns(phase, 2)

    assert order == [TICKET_WORKER, NO_OP_WORKER, NO_OP_WORKER, TICKET_WORKER]
    assert [(no_op.seconds, ticket.seconds) for no_op, ticket in rounds] == [(1.0, 2.0), (1.0, 2.0)]
