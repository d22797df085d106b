"""What every account block shares: it describes one connection, and hands it to the ledger when it is newer."""

from __future__ import annotations

from typing import ClassVar, Self

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from tradewind.domain.connections import Connection, ConnectionKey
from tradewind.ledger import connections
from tradewind.ledger.engine import Ledger
from tradewind.providers.registry import PROVIDERS, check_mode


class ConnectedAccount(Block):
    """One account of one provider.

    The ledger's encrypted connection table is what the core reads; a block is copied there, one way, when its revision
    is higher than the table's. Fields of type SecretStr become the connection's secrets, the others its settings.
    """

    provider: ClassVar[str]

    account: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        description="A short name of the account, e.g. `north`; the connection is `provider:account`.",
    )
    revision: int = Field(
        default=1, ge=0, description="Raise it when a value changes: only a newer revision is taken over."
    )

    @property
    def key(self) -> ConnectionKey:
        return ConnectionKey(provider=self.provider, account=self.account)

    def connection(self) -> Connection:
        """The connection that the block describes; state and `live_from` are the ledger's and are not in it."""
        settings: dict[str, str] = {}
        secrets: dict[str, str] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if name in ("account", "revision") or name in Block.model_fields or value is None:
                continue
            if isinstance(value, SecretStr):
                secrets[name] = value.get_secret_value()
            else:
                settings[name] = str(value)
        role = PROVIDERS[self.provider].role
        return Connection(key=self.key, role=role, settings=settings, secrets=secrets, revision=self.revision)

    @classmethod
    def of(cls, connection: Connection) -> Self:
        """The block that describes a connection of the ledger."""
        known = {**connection.settings, **connection.secrets}
        fields = {name: value for name, value in known.items() if name in cls.model_fields}
        return cls(account=connection.key.account, revision=connection.revision, **fields)

    def copy_to(self, ledger: Ledger) -> bool:
        """Copy the block to the ledger's table if it is newer; gives whether it was.

        Settings and secrets that exist in the table alone (obtained at run time) stay, as do state and `live_from`.
        Raises ConfigurationError for credentials of the other mode, live or test, than those of the table.
        """
        told = self.connection()
        with ledger.write() as database:
            known = {str(one.key): one for one in connections.list(database, ledger.keys)}.get(str(self.key))
            if known is not None:
                if known.revision >= told.revision:
                    return False
                check_mode(known, told)
                told = told.model_copy(update={"settings": {**known.settings, **told.settings}})
            return connections.put(database, ledger.keys, told, actor="block")
