"""Links from our pages to the helpdesk, Slack and the Temporal UI. No link where nothing is known."""

from urllib.parse import quote

from adapters.postgres.page_records import NumberState, Places
from adapters.postgres.queue import QueueLine
from api.doors import Elsewhere
from domain.conversation import TextModel
from domain.ticket import TicketRef
from workflows.ids import ticket_workflow_id

WEB = ("https://", "http://")


class Links(TextModel):
    """Of one ticket; empty where there is none."""

    helpdesk: str = ""
    slack: str = ""
    workflow: str = ""


def links_of(line: QueueLine, ticket: TicketRef, places: Places, elsewhere: Elsewhere) -> Links:
    """Only web addresses: a configured word must not become a script."""
    return Links(
        helpdesk=_web(_helpdesk(line, places)),
        slack=_web(_slack(line.said_at, places, elsewhere)),
        workflow=_web(_workflow(ticket, elsewhere)),
    )


def _helpdesk(line: QueueLine, places: Places) -> str:
    address = places.ticket_urls.get(line.source or "", "")
    if line.number.state is not NumberState.KNOWN:
        return ""
    return address.replace("{number}", quote(line.number.text, safe=""))


def _slack(said_at: str | None, places: Places, elsewhere: Elsewhere) -> str:
    channel, colon, ts = (said_at or "").partition(":")
    if not colon or not places.team_id:
        return ""
    filled = {"{team}": places.team_id, "{channel}": channel, "{ts}": ts}
    address = elsewhere.slack_message_url
    for name, value in filled.items():
        address = address.replace(name, quote(value, safe="."))
    return address


def _workflow(ticket: TicketRef, elsewhere: Elsewhere) -> str:
    if not elsewhere.temporal_ui_url:
        return ""
    base = elsewhere.temporal_ui_url.rstrip("/")
    namespace = quote(elsewhere.temporal_namespace, safe="")
    return f"{base}/namespaces/{namespace}/workflows/{quote(ticket_workflow_id(ticket), safe='')}"


def _web(address: str) -> str:
    return address if address.startswith(WEB) else ""
