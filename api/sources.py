"""Which helpdesks can knock. One line each."""

from collections.abc import Mapping

from adapters.helpdesks.inbound import Source
from adapters.helpdesks.standard_webhooks import StandardWebhooks

SOURCES: Mapping[str, Source] = {
    "generic": StandardWebhooks(),
}
