"""Which engine decides: the one in this process, or an OPA server where one is set."""

import httpx

from adapters.active_policies import Loader, load
from adapters.opa import OpaServer
from adapters.policy.effective import Effective
from domain.ports import PolicyEngine


def loader(client: httpx.AsyncClient, opa_url: str, opa_token: str) -> Loader:
    """Makes the engine of a policy."""
    if not opa_url:
        return load
    server = OpaServer(client, opa_url, opa_token)

    async def load_there(policy: Effective) -> PolicyEngine:
        await load(policy)  # what this process cannot read is refused, whoever decides
        return await server.load(policy)

    return load_there
