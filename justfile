# Every recipe is one `uv run …` line; `just` itself is optional.

# List the recipes.
default:
    @just --list

# Exactly what .ci/run checks.
prepare: format lint types imports coverage

# Format the code.
format:
    uv run ruff format

# Find mistakes and bad style.
lint:
    uv run ruff check

# Check the types of the core.
types:
    uv run mypy

# Check who imports whom.
imports:
    uv run lint-imports --no-logo

# Run every test.
test *arguments:
    uv run pytest {{arguments}}

# Run the tests with coverage, as .ci/run does.
coverage:
    uv run pytest --cov --cov-report=term --cov-fail-under=90

# The whole core under a virtual clock, with every fault, from seeds.
simulate *arguments:
    uv run python -m tests.simulation {{arguments}}

# The code changed in small ways, to see whether the tests of a room notice: domain, ledger or sync.
mutate room *arguments:
    uv run --group mutation python -m tests.mutation {{room}} {{arguments}}

# A whole shop on this machine.
demo *arguments:
    uv run tradewind demo {{arguments}}

# Make docs/reference/ anew from the code.
reference:
    uv run python -m tests.docs.reference

# Kill the real processes while orders come in.
chaos *arguments:
    uv run python -m tests.chaos {{arguments}}

# Look at the pages in headless Chromium and save the pictures that docs/ shows.
screenshots:
    TRADEWIND_SCREENSHOTS=1 uv run pytest tests/browser -n 0
