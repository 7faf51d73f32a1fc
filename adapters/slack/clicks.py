"""What a click on an approval card means, taken out of Slack's payload where it arrives.

Only this is kept of a click; the message it was made on, which Slack sends along, is not.
"""

import hashlib
import json
from collections.abc import Mapping

from pydantic import BaseModel, Field, ValidationError

from adapters.slack.cards import APPROVE, REASON_ACTION, REASON_BLOCK, REJECT
from domain.approval import VoteKind
from domain.conversation import TextModel
from domain.model import ApprovalId, Digest

KINDS: Mapping[str, VoteKind] = {
    APPROVE: VoteKind.APPROVE,
    REJECT: VoteKind.REJECT,
}


class Click(TextModel):
    """One person pressed Approve or Reject on one revision of one card."""

    team_id: str  # the clicker's own workspace, which in a shared channel may be another company's
    user_id: str
    channel_id: str
    kind: VoteKind
    approval_id: ApprovalId
    revision: int
    digest: Digest
    reason: str = ""


class _Named(BaseModel):
    id: str = Field(min_length=1, max_length=64)


class _User(_Named):
    team_id: str | None = Field(default=None, min_length=1, max_length=64)


class _Container(BaseModel):
    message_ts: str
    channel_id: str


class _Pressed(BaseModel):
    action_id: str
    action_ts: str
    value: str = Field(max_length=2000)


class _Written(BaseModel):
    value: str | None = Field(default=None, max_length=3000)


class _State(BaseModel):
    values: dict[str, dict[str, _Written]] = {}


class _BlockActions(BaseModel):
    team: _Named
    user: _User
    container: _Container
    actions: list[_Pressed] = Field(min_length=1, max_length=1)
    state: _State = _State()


class _ButtonValue(BaseModel):
    a: ApprovalId
    r: int = Field(ge=1)
    d: Digest


def click_of(payload: Mapping[str, object]) -> Click | None:
    """None where it is no vote of ours: another button, or not of this shape."""
    try:
        sent = _BlockActions.model_validate(payload)
        kind = KINDS.get(sent.actions[0].action_id)
        value = _ButtonValue.model_validate_json(sent.actions[0].value)
    except ValidationError:
        return None
    return None if kind is None else _click(sent, kind, value)


def click_key(payload: Mapping[str, object]) -> str:
    """The same for every copy of a click: who pressed what, on which message, when.

    A digest, because it names a person.
    """
    sent = _BlockActions.model_validate(payload)
    pressed = sent.actions[0]
    parts = (sent.team.id, sent.user.id, sent.container.message_ts, pressed.action_id, pressed.action_ts)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _click(sent: _BlockActions, kind: VoteKind, value: _ButtonValue) -> Click:
    return Click(
        team_id=sent.user.team_id or sent.team.id,
        user_id=sent.user.id,
        channel_id=sent.container.channel_id,
        kind=kind,
        approval_id=value.a,
        revision=value.r,
        digest=value.d,
        reason=_reason(sent.state),
    )


def _reason(state: _State) -> str:
    written = state.values.get(REASON_BLOCK, {}).get(REASON_ACTION)
    return (written.value or "").strip() if written else ""
