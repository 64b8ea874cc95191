"""Turns on a line: the most urgent waiter first, who holds it is told, and a waiter that gives up leaves no gap."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.drivers.bus_turn import BusTurn, Rank

RANKS = st.sampled_from(list(Rank))


@given(st.lists(RANKS, max_size=12))
def test_waiters_go_by_rank_and_among_equals_by_their_coming(ranks: list[Rank]) -> None:
    async def play() -> list[tuple[Rank, int]]:
        turn, went = BusTurn(), []

        async def wait(rank: Rank, number: int) -> None:
            async with turn.taken(rank):
                went.append((rank, number))

        async with turn.taken(Rank.POLL):
            tasks = [asyncio.create_task(wait(rank, number)) for number, rank in enumerate(ranks)]
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        return went

    assert asyncio.run(play()) == sorted((rank, number) for number, rank in enumerate(ranks))


@given(RANKS, RANKS)
def test_the_holder_is_told_of_a_more_urgent_waiter_and_of_no_other(held: Rank, comes: Rank) -> None:
    async def play() -> bool:
        turn = BusTurn()

        async def wait() -> None:
            async with turn.taken(comes):
                pass

        async with turn.taken(held):
            told = asyncio.create_task(turn.overtaken())
            waiter = asyncio.create_task(wait())
            for _ in range(5):
                await asyncio.sleep(0)
            is_told = told.done()
        told.cancel()
        await asyncio.gather(waiter, told, return_exceptions=True)
        return is_told

    assert asyncio.run(play()) == (comes < held)


@given(st.lists(st.tuples(RANKS, st.booleans()), max_size=10), st.integers(0, 3))
def test_one_at_a_time_and_nobody_is_forgotten_when_some_give_up(waiters: list[tuple[Rank, bool]], steps: int) -> None:
    async def play() -> None:
        turn, inside, went = BusTurn(), 0, 0

        async def wait(rank: Rank) -> None:
            nonlocal inside, went
            async with turn.taken(rank):
                inside += 1
                assert inside == 1
                try:
                    await asyncio.sleep(0)
                    went += 1
                finally:
                    inside -= 1

        tasks = [asyncio.create_task(wait(rank)) for rank, _ in waiters]
        for _ in range(steps):
            await asyncio.sleep(0)
        for task, (_, gives_up) in zip(tasks, waiters, strict=True):
            if gives_up:
                task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert went >= sum(not gives_up for _, gives_up in waiters)
        assert all(result is None or isinstance(result, asyncio.CancelledError) for result in results)
        # The line is free at the end.
        await asyncio.wait_for(wait(Rank.POLL), 5)

    asyncio.run(play())
