"""Which secrets are good, at which moment, after they were rotated."""

from datetime import UTC, datetime, timedelta

from tradewind.domain.rotation import live, rotated

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def good(secrets: dict[str, str], at: datetime) -> list[str]:
    return [value for _, value in live(secrets, ("secret",), at)]


def rotate(secrets: dict[str, str], value: str, at: datetime, grace: timedelta = DAY) -> dict[str, str]:
    return {**secrets, **rotated(secrets, "secret", value, now=at, grace=grace)}


def test_the_secret_before_is_good_for_its_grace_and_not_after() -> None:
    secrets = rotate({"secret": "a"}, "b", NOW)
    assert good(secrets, NOW + DAY - timedelta(seconds=1)) == ["b", "a"]
    assert good(secrets, NOW + DAY) == ["b"]


def test_two_rotations_within_one_grace_keep_all_three() -> None:
    secrets = rotate(rotate({"secret": "a"}, "b", NOW), "c", NOW + DAY / 2)
    assert good(secrets, NOW + DAY / 2) == ["c", "b", "a"]
    assert good(secrets, NOW + DAY) == ["c", "b"]


def test_a_place_whose_grace_is_over_is_used_again() -> None:
    secrets = rotate(rotate(rotate({"secret": "a"}, "b", NOW), "c", NOW + DAY / 2), "d", NOW + 3 * DAY)
    assert good(secrets, NOW + 3 * DAY) == ["d", "c"]
    assert "b" not in secrets.values()
    assert "a" not in secrets.values()


def test_no_grace_ends_every_older_secret_at_once() -> None:
    secrets = rotate(rotate({"secret": "a"}, "b", NOW), "c", NOW, grace=timedelta(0))
    assert good(secrets, NOW) == ["c"]


def test_going_back_to_the_older_secret_makes_it_the_current_one() -> None:
    secrets = rotate(rotate({"secret": "a"}, "b", NOW), "a", NOW)
    assert good(secrets, NOW) == ["a", "b"]


def test_the_same_secret_again_changes_nothing() -> None:
    assert rotated({"secret": "a"}, "secret", "a", now=NOW, grace=DAY) == {}


def test_an_older_secret_without_a_time_is_good_until_it_is_rotated_out() -> None:
    secrets = {"secret": "b", "secret_previous": "a"}
    assert good(secrets, NOW + 1000 * DAY) == ["b", "a"]
    assert good(rotate(secrets, "c", NOW), NOW + DAY) == ["c"]


def test_a_name_that_nothing_was_ever_under_has_no_secret() -> None:
    assert good({}, NOW) == []
    assert good(rotate({}, "a", NOW), NOW) == ["a"]
