import inspect
import re

import pytest

from tradewind import errors


def drawn() -> list[tuple[int, str]]:
    """(depth, name) of every line of the tree in the module's docstring."""
    lines = re.findall(r"^([│├└─ ]*)([A-Z]\w+)(?: {2,}.*)?$", errors.__doc__ or "", re.MULTILINE)
    return [(len(branch) // 4, name) for branch, name in lines]


def defined(base: type[BaseException], depth: int = 0) -> list[tuple[int, str]]:
    """The same of the classes, in the order in which they are written."""
    children = [one for one in vars(errors).values() if inspect.isclass(one) and base in one.__bases__]
    return [(depth, base.__name__)] + [each for child in children for each in defined(child, depth + 1)]


def test_the_drawn_tree_is_the_tree_of_the_classes() -> None:
    assert drawn() == defined(errors.TradewindError)


def test_every_error_of_the_module_is_in_the_tree() -> None:
    classes = [one for one in vars(errors).values() if inspect.isclass(one) and issubclass(one, BaseException)]
    assert {one.__name__ for one in classes} == {name for _, name in drawn()}


@pytest.mark.parametrize("error", [errors.RateLimited, errors.ProviderUnavailable])
def test_transient_error_tells_when_to_try_again(error: type[errors.TransientError]) -> None:
    assert error("slow down", retry_after_s=2.5).retry_after_s == 2.5
    assert error("slow down").retry_after_s is None


def test_rejected_request_keeps_status_and_code() -> None:
    error = errors.RequestRejected("declined", status=402, code="card_declined")
    assert (str(error), error.status, error.code) == ("declined", 402, "card_declined")


def test_configuration_error_names_setting_source_and_advice() -> None:
    error = errors.ConfigurationError("lease_s", "tradewind.toml", "must be above 0")
    assert str(error) == "lease_s (from tradewind.toml): must be above 0"
