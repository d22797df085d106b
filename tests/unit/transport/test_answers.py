from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import BaseModel

from tradewind.errors import SchemaMismatch
from tradewind.transport import clock_skew_s, json_of, observed_at, parsed, retry_after_s

NOON = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)


def answer(body=b"", *, took_s=0.5, **headers):
    response = httpx.Response(200, content=body, headers=headers, request=httpx.Request("GET", "http://provider/x"))
    response.extensions["tradewind_sent_at"] = NOON
    response.extensions["tradewind_answered_at"] = NOON + timedelta(seconds=took_s)
    return response


def test_retry_after_in_seconds_or_as_a_date():
    assert retry_after_s(answer(**{"Retry-After": "1.5"})) == 1.5
    dated = answer(Date="Sun, 01 Nov 2026 12:00:00 GMT", **{"Retry-After": "Sun, 01 Nov 2026 12:00:30 GMT"})
    assert retry_after_s(dated) == 30
    past = answer(Date="Sun, 01 Nov 2026 12:00:00 GMT", **{"Retry-After": "Sun, 01 Nov 2026 11:00:00 GMT"})
    assert retry_after_s(past) == 0


@pytest.mark.parametrize("value", ["", "soon", "nan", "inf"])
def test_an_unreadable_retry_after_is_none(value):
    assert retry_after_s(answer(**{"Retry-After": value})) is None


def test_a_read_is_dated_when_it_was_sent_and_a_write_when_it_was_answered():
    response = answer(took_s=1.2, Date="Sun, 01 Nov 2026 12:00:01 GMT")
    assert observed_at(response, wrote=False) == NOON
    assert observed_at(response, wrote=True) == NOON + timedelta(seconds=1.2)


def test_the_providers_clock_counts_when_ours_is_off():
    response = answer(took_s=0, Date="Sun, 01 Nov 2026 13:00:00 GMT")
    assert observed_at(response, wrote=False) == NOON + timedelta(hours=1)
    assert clock_skew_s(response) == 3600


def test_the_providers_clock_counts_when_it_is_behind_ours():
    response = answer(took_s=0, Date="Sun, 01 Nov 2026 11:00:00 GMT")
    assert clock_skew_s(response) == -3599
    assert observed_at(response, wrote=False) == NOON - timedelta(seconds=3599)


@pytest.mark.parametrize("date", ["12:00:00", "12:00:04", "12:00:08", "11:59:59"])
def test_a_slow_answer_is_no_skewed_clock(date):
    response = answer(took_s=8, Date=f"Sun, 01 Nov 2026 {date} GMT")
    assert clock_skew_s(response) == 0
    assert observed_at(response, wrote=False) == NOON


def test_without_a_date_ours_counts():
    assert observed_at(answer(took_s=0), wrote=True) == NOON
    assert clock_skew_s(answer(Date="no date")) == 0


def test_a_body_that_is_no_json_is_a_schema_mismatch():
    assert json_of(answer(b'{"a": 1}')) == {"a": 1}
    with pytest.raises(SchemaMismatch):
        json_of(answer(b"<html>"))


class Buyer(BaseModel):
    email: str
    age: int


def test_a_schema_mismatch_names_the_field_and_hides_what_it_held():
    with pytest.raises(SchemaMismatch) as mismatch:
        parsed(Buyer, {"email": "ada@example.com", "age": "ada@example.com"}, "buyers.get")
    assert "age" in str(mismatch.value)
    assert "ada@example.com" not in str(mismatch.value)
