"""Where tests find the providers' published contracts and the real data, which are not part of the project.

`TRADEWIND_CONTRACTS` and `TRADEWIND_DATA` name the folders; otherwise they are `../shared/contracts` and
`../shared/data` beside the repository. A test whose folder is missing skips and says what it did not check; with
`CI=true` it fails instead.
"""

import gzip
import json
import os
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

_REPOSITORY = Path(__file__).resolve().parent.parent


def contracts_dir() -> Path:
    """The folder of the published contracts. Skips the test, or fails it in CI, when it is not here."""
    return _folder("TRADEWIND_CONTRACTS", "contracts")


def data_dir() -> Path:
    """The folder of real order data. Skips the test, or fails it in CI, when it is not here."""
    return _folder("TRADEWIND_DATA", "data")


def contract(relative: str) -> Any:
    """One contract, parsed: JSON or YAML by its name, unpacked if it ends in `.gz`. Do not change what it returns."""
    path = contracts_dir() / relative
    if not path.exists():
        not_checked(f"{path} is missing: not checked against {relative}")
    return _parsed(path)


def not_checked(what: str) -> NoReturn:
    """Skip the test and say what it did not check; fail it in CI."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(what)
    pytest.skip(what)


@cache
def _parsed(path: Path) -> Any:
    raw = path.read_bytes()
    if path.suffix == ".gz":
        raw = gzip.decompress(raw)
        path = path.with_suffix("")
    if path.suffix == ".json":
        return json.loads(raw)
    return yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _folder(variable: str, name: str) -> Path:
    folder = Path(os.environ.get(variable) or _REPOSITORY.parent / "shared" / name)
    if not folder.is_dir():
        not_checked(f"{folder} is missing: nothing checked against the {name} (set {variable})")
    return folder
