"""The providers simulated over HTTP, and the merchant whose shoppers place orders.

Shares no code with the clients it is used to judge: it says what the providers' documents say.
"""

from tradewind.sandbox.app import create_app
from tradewind.sandbox.kernel import Sandbox, create_sandbox

__all__ = ["Sandbox", "create_app", "create_sandbox"]
