"""Block of one Stripe account."""

from typing import ClassVar

from pydantic import Field, SecretStr

from blocks.connected_account import ConnectedAccount


class StripeAccount(ConnectedAccount):
    """A Stripe account, reached with a restricted or secret key.

    Example:
        ```python
        from blocks import StripeAccount

        account = StripeAccount.load("stripe-main")
        print(account.key)
        ```
    """

    _block_type_name = "Stripe Account"
    _block_type_slug = "tradewind-stripe-account"
    _description = "A Stripe account: payments are captured and refunded there."
    _logo_url = "https://cdn.simpleicons.org/stripe"  # type: ignore[assignment]
    provider: ClassVar[str] = "stripe"

    base_url: str = Field(default="https://api.stripe.com", description="Where the API is.")
    secret_key: SecretStr = Field(description="Secret key (sk_…), or a restricted one (rk_…) that may read events too.")
    webhook_secret: SecretStr | None = Field(default=None, description="Signing secret (whsec_…) of the endpoint.")
