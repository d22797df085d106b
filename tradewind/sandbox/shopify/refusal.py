"""What a store says no to."""


class RefusalError(Exception):
    """A request that the store understands and does not carry out: the API's userErrors.

    field: the path to the input at fault; code: from the mutation's own enum, where it has one.
    """

    def __init__(self, message: str, *, field: list[str] | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code
