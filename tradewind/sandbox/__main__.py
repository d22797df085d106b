"""`python -m tradewind.sandbox --port 0 --seed 1 --faults none`."""

import argparse

from tradewind.sandbox.faults import LEVELS
from tradewind.sandbox.server import serve


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="tradewind.sandbox", description="The providers, simulated on one port.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: a free port")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", choices=list(LEVELS), default="none")
    given = parser.parse_args()
    serve(given.host, given.port, given.seed, given.faults)


if __name__ == "__main__":
    main()
