"""API budgets: what each connection may spend, who goes first, and when a provider is left alone."""

from tradewind.governor.budget import Budget, Lane, current_lane, lane
from tradewind.governor.clock import Clock, SystemClock
from tradewind.governor.governor import Governor
from tradewind.governor.leases import LeaseSource, LocalLeases, ShareLeases

__all__ = [
    "Budget",
    "Clock",
    "Governor",
    "Lane",
    "LeaseSource",
    "LocalLeases",
    "ShareLeases",
    "SystemClock",
    "current_lane",
    "lane",
]
