"""The reference says what the code says now."""

from pathlib import Path

import pytest

from tests.docs.pages import name_of
from tests.docs.reference import pages

PAGES = pages()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_page_is_as_the_code_makes_it(page: Path) -> None:
    assert page.exists(), "run `just reference`"
    assert page.read_text() == PAGES[page], "the page is stale: run `just reference`"
