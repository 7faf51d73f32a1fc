"""Plugs the door's adapters into the ports of pages."""

from adapters.door_keys import PageKeys
from adapters.keys import DoorKeys, KeyStore
from adapters.postgres.connections import DoorConnections
from adapters.postgres.decision_records import DecisionRecords
from adapters.postgres.door_sessions import DoorSessions
from adapters.postgres.inbox import DoorInbox
from adapters.postgres.judgements import PostgresJudgements
from adapters.postgres.ownership import PostgresOwnership
from adapters.postgres.page_records import PageRecords
from adapters.postgres.queue import Queue
from adapters.postgres.session import Database
from adapters.postgres.ticket_finder import TicketFinder
from api.doors import Elsewhere, PageDoors


def page_doors(database: Database, keys: KeyStore, master_key: bytes, elsewhere: Elsewhere) -> PageDoors:
    """`database` as `door`, `keys` as `key_door`."""
    door_keys = DoorKeys(keys, master_key)
    records = PageRecords(database, PageKeys(keys, master_key))
    return PageDoors(
        sessions=DoorSessions(database),
        queue=Queue(database, records),
        decisions=DecisionRecords(database),
        records=records,
        finder=TicketFinder(database, DoorConnections(database, door_keys)),
        ownership=PostgresOwnership(database),
        judgements=PostgresJudgements(database),
        words=DoorInbox(database, door_keys),
        elsewhere=elsewhere,
    )
