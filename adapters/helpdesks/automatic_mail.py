"""Mail that no person wrote: out of office, delivery reports, newsletters. It is never answered.

The headers are those of RFC 3834 and of what common mail systems add. Without headers only a subject or a
body that calls itself automatic counts: a person who mentions a holiday must not be taken for a machine.
"""

import re
from collections.abc import Mapping

AUTOMATIC_PRECEDENCE = frozenset({"auto_reply", "bulk", "junk", "list"})
MARKS = frozenset(
    {"x-autoreply", "x-autorespond", "x-autoresponder", "list-id", "list-unsubscribe", "feedback-id"}
)
SUBJECT = re.compile(
    r"\s*(?:automatic reply|auto(?:matic)?[ -]?(?:reply|response)|out of (?:the )?office|undeliverable"
    r"|undelivered mail returned to sender"
    r"|delivery status notification|mail delivery (?:failed|subsystem)|returned mail"
    r"|abwesenheitsnotiz|automatische antwort|r[ée]ponse automatique|respuesta autom[áa]tica"
    r"|risposta automatica)\s*(?:$|[:(\[–-])",
    re.IGNORECASE,
)
BODY = re.compile(
    r"\A\s*(?:this is an? (?:automatic(?:ally generated)?|automated|auto[ -]?generated)"
    r" (?:reply|response|message|e-?mail)"
    r"|automatic reply|out of office)\b",
    re.IGNORECASE,
)
SEARCHED = 500


def is_automatic(headers: Mapping[str, str], subject: str, body: str) -> bool:
    """`subject` is that of the message itself; empty where the helpdesk keeps none per message."""
    return _says_so(headers) or bool(SUBJECT.match(subject) or BODY.search(body[:SEARCHED]))


def _says_so(headers: Mapping[str, str]) -> bool:
    known = {name.lower(): value.strip().lower() for name, value in headers.items()}
    submitted = known.get("auto-submitted", "no").partition(";")[0].strip()
    return (
        submitted != "no"
        or known.get("precedence", "") in AUTOMATIC_PRECEDENCE
        or known.get("return-path") == "<>"
        or "multipart/report" in known.get("content-type", "")
        or bool(MARKS & known.keys())
    )
