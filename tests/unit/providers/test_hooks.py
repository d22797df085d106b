from datetime import UTC, datetime

import pytest

from tradewind.providers.hooks import moment, plain


@pytest.mark.parametrize("value", ["", None, 5, "x" * 201, "a\x00b", "\ud800", "é", "two\nlines"])
def test_what_a_database_or_log_would_choke_on_names_nothing(value):
    assert plain(value) is None


def test_a_plain_name_stays_as_it_is():
    assert plain("evt_1 ok") == "evt_1 ok"


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2026-11-01T12:00:00Z", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("2026-11-01T13:00:00+01:00", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("2026-11-01T12:00:00", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
        (17, None),
    ],
)
def test_a_moment_is_utc_or_nothing(value, at):
    assert moment(value) == at
