"""Data keys made ahead, in a thread of their own: whoever seals a delivery does not wait for the key store."""

from __future__ import annotations

import logging
import threading

from tradewind.ledger.keyring import KeyRing

log = logging.getLogger(__name__)

MOST = 400
"""Keys that lie ready: a fifth of a second's deliveries at the most that a process takes."""
LEAST = MOST // 2


class Reserve:
    """Keeps fresh keys in a key ring, from its first use on."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._low = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="key-reserve", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Have more made, beside the caller, when few are left."""
        if self._keys.fresh < LEAST:
            self._low.set()

    def close(self) -> None:
        self._closing = True
        self._low.set()
        self._thread.join()

    def _run(self) -> None:
        while self._low.wait() and not self._closing:
            self._low.clear()
            try:
                self._keys.reserve(MOST)
            except Exception as error:  # whoever seals the next delivery meets the same, and refuses it
                log.warning("no data keys could be made ahead: %s", (str(error).splitlines() or [""])[0])
