"""Block of one back office journal."""

from typing import ClassVar

from pydantic import Field, SecretStr

from blocks.connected_account import ConnectedAccount


class BackOfficeJournal(ConnectedAccount):
    """The merchant's own journal of documents that are no orders: credit notes, write-offs, adjustments.

    Example:
        ```python
        from blocks import BackOfficeJournal

        journal = BackOfficeJournal.load("backoffice-main")
        print(journal.key)
        ```
    """

    _block_type_name = "Back Office Journal"
    _block_type_slug = "tradewind-backoffice-journal"
    _description = "Signed documents of the merchant's back office: in the books, nothing shipped."
    _logo_url = "https://cdn.simpleicons.org/libreofficecalc"  # type: ignore[assignment]
    provider: ClassVar[str] = "backoffice"

    base_url: str = Field(description="Where its documents are listed.")
    secret: SecretStr = Field(description="Secret that signs its deliveries.")
