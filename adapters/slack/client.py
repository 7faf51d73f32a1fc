"""Calls Slack's Web API as a tenant's installation and reads what its answers mean.

Nothing sleeps here: a rate limit becomes `ProviderUnavailable` with Slack's own waiting time.
Errors are raised `from None`: Slack's errors quote the whole answer.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

import aiohttp
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.http import REQUEST_LIFE, retry_after_s
from domain.errors import DeliveryRefused, DeliveryUncertain, ProviderUnavailable

# A session reuses connections only to the same host, and these calls are few.
TIMEOUT = aiohttp.ClientTimeout(total=REQUEST_LIFE.total_seconds(), sock_connect=2)

# Slack says that some of the work may have been done before these.
UNCERTAIN = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
RATE_LIMITED = frozenset({"ratelimited", "rate_limited"})
# Slack answers 200 to everything, so refusals get the status they would have elsewhere.
STATUS_OF_REFUSAL = {
    "not_authed": 401,
    "invalid_auth": 401,
    "account_inactive": 401,
    "token_revoked": 401,
    "token_expired": 401,
    "missing_scope": 403,
    "not_in_channel": 403,
    "is_archived": 403,
    "channel_not_found": 404,
    "message_not_found": 404,
    "user_not_in_channel": 404,
}
BAD_REQUEST = 400

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SlackInstallation:
    """A tenant's workspace and its support channel."""

    team_id: str
    channel_id: str
    bot_token: str = field(repr=False)


InstallationOf = Callable[[UUID], Awaitable[SlackInstallation]]


class SlackModel(BaseModel):
    """What Slack answers; fields that we do not use are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class MessageMetadata(SlackModel):
    """A message's metadata, ours or another app's, whose payload can be anything."""

    event_type: str = ""
    event_payload: Mapping[str, object] = {}


class SlackMessage(SlackModel):
    """A message of a channel's history."""

    ts: str
    metadata: MessageMetadata | None = None


class Paging(SlackModel):
    """Where the next page begins."""

    next_cursor: str = ""


class SlackAnswer(SlackModel):
    """The parts of Slack's answers that we read."""

    channel: str = ""
    ts: str = ""
    message_ts: str = ""
    messages: tuple[SlackMessage, ...] = ()
    response_metadata: Paging = Paging()


class SlackApi:
    """Slack for all tenants: one session, one client per installation."""

    def __init__(self, installation_of: InstallationOf, base_url: str) -> None:
        # slack_sdk logs whole request bodies at DEBUG.
        logging.getLogger("slack_sdk").setLevel(logging.WARNING)
        self._installation_of = installation_of
        self._base_url = base_url
        self._clients: dict[str, AsyncWebClient] = {}
        self._session: aiohttp.ClientSession | None = None

    async def installation(self, tenant_id: UUID) -> SlackInstallation:
        """Where the tenant's cards go."""
        return await self._installation_of(tenant_id)

    async def write(self, tenant_id: UUID, method: str, body: Mapping[str, object]) -> SlackAnswer:
        """Raises `DeliveryUncertain` wherever Slack may have acted without our knowing."""
        try:
            return await self._call(tenant_id, method, json=dict(body))
        except ValidationError:
            raise DeliveryUncertain from None

    async def read(self, tenant_id: UUID, method: str, query: Mapping[str, str]) -> SlackAnswer:
        """A read that was lost can be repeated, so it never is uncertain."""
        try:
            return await self._call(tenant_id, method, params=dict(query), http_verb="GET")
        except (DeliveryUncertain, ValidationError):
            raise ProviderUnavailable from None

    async def close(self) -> None:
        """Ends the session's connections."""
        if self._session is not None:
            await self._session.close()

    async def _call(
        self,
        tenant_id: UUID,
        method: str,
        *,
        http_verb: str = "POST",
        json: dict[str, object] | None = None,
        params: dict[str, str] | None = None,
    ) -> SlackAnswer:
        client = self._client((await self._installation_of(tenant_id)).bot_token)
        try:
            response = await client.api_call(method, http_verb=http_verb, json=json, params=params)
        except SlackApiError as error:
            raise _situation(method, error) from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise ProviderUnavailable from None
        except (aiohttp.ClientError, TimeoutError, AttributeError):
            # slack_sdk trips with AttributeError over an answer in plain text, such as a proxy's.
            raise DeliveryUncertain from None
        log.info("slack_called", method=method)
        return SlackAnswer.model_validate(response.data)

    def _client(self, bot_token: str) -> AsyncWebClient:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
            self._clients.clear()
        if bot_token not in self._clients:
            self._clients[bot_token] = self._new_client(bot_token, self._session)
        return self._clients[bot_token]

    def _new_client(self, bot_token: str, session: aiohttp.ClientSession) -> AsyncWebClient:
        # No retry handlers: the default one repeats a post whose connection was lost, and posts twice.
        client = AsyncWebClient(token=bot_token, base_url=self._base_url, session=session, retry_handlers=[])
        # slack_sdk takes a proxy from the environment even for loopback; only settings read that.
        client.proxy = None
        return client


def _situation(method: str, error: SlackApiError) -> Exception:
    """What an answer that is not `ok` means for the effect."""
    response = error.response
    if not isinstance(response, AsyncSlackResponse):  # a body that is no JSON
        return DeliveryUncertain()
    answer = cast("object", response.data)
    code = str(answer.get("error", "")) if isinstance(answer, dict) else ""
    log.warning("slack_refused", method=method, status=response.status_code, code=code[:64])
    wait_s = retry_after_s(response.headers)
    if response.status_code == 429 or code in RATE_LIMITED or (wait_s and response.status_code == 503):
        return ProviderUnavailable(wait_s)
    if response.status_code >= 500 or code in UNCERTAIN or not code:
        return DeliveryUncertain()
    return DeliveryRefused(STATUS_OF_REFUSAL.get(code, BAD_REQUEST))
