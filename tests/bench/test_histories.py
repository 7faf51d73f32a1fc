"""When a history says that the draft was there."""

import json
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import ActivityType, Payload, Payloads
from temporalio.api.history.v1 import (
    ActivityTaskCompletedEventAttributes,
    ActivityTaskScheduledEventAttributes,
    HistoryEvent,
    MarkerRecordedEventAttributes,
)

from bench.histories import drafted_at

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOON_S = int(NOON.timestamp())


def _scheduled(event_id: int, name: str) -> HistoryEvent:
    scheduled = ActivityTaskScheduledEventAttributes(activity_type=ActivityType(name=name))
    return HistoryEvent(event_id=event_id, activity_task_scheduled_event_attributes=scheduled)


def _completed(scheduled: int, second: int) -> HistoryEvent:
    return HistoryEvent(
        event_time=Timestamp(seconds=NOON_S + second),
        activity_task_completed_event_attributes=ActivityTaskCompletedEventAttributes(
            scheduled_event_id=scheduled
        ),
    )


def _local(name: str, second: int) -> HistoryEvent:
    told = {"activity_type": name, "complete_time": {"seconds": NOON_S + second, "nanos": 500_000_000}}
    data = Payloads(payloads=[Payload(data=json.dumps(told).encode())])
    return HistoryEvent(
        marker_recorded_event_attributes=MarkerRecordedEventAttributes(details={"data": data})
    )


def test_a_regular_draft_is_there_when_its_step_is_completed() -> None:
    events = [_scheduled(5, "triage"), _completed(5, 1), _scheduled(9, "draft"), _completed(9, 3)]

    assert drafted_at(events) == NOON.replace(second=3)


def test_a_local_draft_is_there_when_its_marker_says() -> None:
    assert drafted_at([_local("triage", 1), _local("draft", 2)]) == NOON.replace(
        second=2, microsecond=500_000
    )


def test_a_history_without_a_draft_says_so() -> None:
    assert drafted_at([_scheduled(5, "triage"), _completed(5, 1), _local("settle", 2)]) is None
