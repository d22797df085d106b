"""Triggers that note what no end state shows: who took what from whom, and who wrote after they had lost it."""

from __future__ import annotations

import sqlite3

LONGEST_LEASE_S = 600
LONGEST_WAIT_S = 3700

_NOW = "true_now()"
_AGE = "(julianday({}) - julianday(" + _NOW + ")) * 86400"

_WATCH = f"""
CREATE TABLE IF NOT EXISTS simulation_watch (problem TEXT);
CREATE TRIGGER simulation_inbox_finish AFTER UPDATE ON inbox
WHEN NEW.state IN ('applied', 'superseded', 'dead', 'parked') AND OLD.state <> 'claimed'
  AND NEW.finished_at IS NOT OLD.finished_at
BEGIN INSERT INTO simulation_watch VALUES ('delivery ' || NEW.id || ' was finished by one who did not hold it'); END;
CREATE TRIGGER simulation_inbox_claim AFTER UPDATE ON inbox
WHEN NEW.state = 'claimed' AND NEW.epoch > OLD.epoch AND (
  (OLD.state = 'claimed' AND OLD.lease_until > {_NOW})
  OR {_AGE.format("NEW.lease_until")} NOT BETWEEN 0 AND {LONGEST_LEASE_S})
BEGIN INSERT INTO simulation_watch VALUES ('delivery ' || NEW.id || ' was claimed against the database''s clock'); END;
CREATE TRIGGER simulation_outbox_finish AFTER UPDATE ON outbox
WHEN NEW.state IN ('done', 'dead', 'cancelled') AND OLD.state <> 'in_flight'
BEGIN INSERT INTO simulation_watch VALUES ('command ' || NEW.key || ' was finished by one who did not hold it'); END;
CREATE TRIGGER simulation_outbox_claim AFTER UPDATE ON outbox
WHEN NEW.state = 'in_flight' AND NEW.epoch > OLD.epoch AND (
  (OLD.state = 'in_flight' AND OLD.lease_until > {_NOW})
  OR {_AGE.format("NEW.lease_until")} NOT BETWEEN 0 AND {LONGEST_LEASE_S})
BEGIN INSERT INTO simulation_watch VALUES ('command ' || NEW.key || ' was claimed against the database''s clock'); END;
CREATE TRIGGER simulation_outbox_wait AFTER UPDATE ON outbox
WHEN NEW.state = 'pending' AND {_AGE.format("NEW.next_attempt_at")} > {LONGEST_WAIT_S}
BEGIN INSERT INTO simulation_watch VALUES ('command ' || NEW.key || ' waits for more than an hour'); END;
"""


def watch(database: sqlite3.Connection) -> None:
    """Put the triggers into a ledger."""
    database.executescript(_WATCH)
