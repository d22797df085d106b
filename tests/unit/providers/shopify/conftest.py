"""A fake store for every test."""

import pytest

from tests.unit.providers.shopify.store import FakeStore


@pytest.fixture
def store():
    return FakeStore()
