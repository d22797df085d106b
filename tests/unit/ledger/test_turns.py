import threading
from concurrent.futures import ThreadPoolExecutor

from tradewind.ledger.turns import Turns

SOON_S = 20.0


def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    turns = Turns()
    assert turns.take(0)
    came: list[int] = []

    def wait(number: int) -> None:
        assert turns.take(SOON_S)
        came.append(number)
        turns.pass_on()

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(turns._waiting) <= number:
            threading.Event().wait(0.001)
    turns.pass_on()
    for thread in threads:
        thread.join(SOON_S)
    assert came == [0, 1, 2, 3, 4]
    assert turns.take(0)


def test_one_has_the_turn_at_a_time() -> None:
    turns, inside, most = Turns(), [0], [0]

    def work(_: int) -> None:
        for _step in range(200):
            assert turns.take(SOON_S)
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            inside[0] -= 1
            turns.pass_on()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert most == [1]
    assert turns.take(0)


def test_who_gave_up_is_passed_over() -> None:
    turns = Turns()
    assert turns.take(0)
    assert not turns.take(0.001)
    turns.pass_on()
    assert turns.take(0)
