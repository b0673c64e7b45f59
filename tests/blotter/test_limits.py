"""What one user, one connection and one process may cost."""

import asyncio

from blotter.live.limits import Pace, Places, Room


def test_a_user_has_so_many_places_and_everybody_together_so_many() -> None:
    places = Places(per_user=2, in_all=3)
    assert [places.take(1), places.take(1), places.take(1)] == [True, True, False]
    assert places.take(2)
    assert places.is_full()
    places.give_back(1)
    assert not places.is_full()
    assert places.take(1)


def test_messages_wait_for_those_of_the_same_user_only() -> None:
    pace = Pace(per_second=2, at_once=3)
    assert [pace.delay(1, 100.0) for _ in range(5)] == [0, 0, 0, 0.5, 1.0]
    assert pace.delay(2, 100.0) == 0


def test_a_quiet_user_may_have_some_at_once_again() -> None:
    pace = Pace(per_second=2, at_once=3)
    for _ in range(10):
        pace.delay(1, 100.0)
    pace.forget(200.0)
    assert [pace.delay(1, 200.0) for _ in range(3)] == [0, 0, 0]


def test_snapshots_wait_while_sockets_hold_too_much() -> None:
    held = [0]
    crowded = []

    async def script() -> list[str]:
        told = []
        room = Room(100, lambda: held[0], lambda: crowded.append(held[0]))

        async def enters(name: str, size: int) -> None:
            await room.enter(size)
            held[0] += size
            told.append(name)

        await enters("first", 80)
        waits = [asyncio.create_task(enters(name, 30)) for name in ("second", "third")]
        await asyncio.sleep(Room.POLL_SECONDS * 3)
        told.append("taken")
        held[0] = 0
        await asyncio.gather(*waits)
        return told

    assert asyncio.run(script()) == ["first", "taken", "second", "third"]
    assert crowded
    assert set(crowded) == {80}


def test_what_is_larger_than_the_room_goes_alone() -> None:
    async def script() -> None:
        await Room(100, lambda: 0, lambda: None).enter(1_000)

    asyncio.run(script())
