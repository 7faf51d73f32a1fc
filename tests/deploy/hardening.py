"""What every container is denied and limited to. Each check yields a sentence per fault."""

import re
from collections.abc import Iterator

from tests.deploy.composition import Composition, container_port, runs_on, services, with_defaults

NUMERIC_USER = re.compile(r"[1-9]\d*:[1-9]\d*")
LOOPBACK = "127.0.0.1:"
CLOSED = ("postgres", "keys", "temporal")
# Helpdesks, Slack and browsers are outside; nothing else of it is let out.
OPEN_NETWORKS = {"outside"}
ADMINISTRATORS = {
    "postgres_password": {"postgres"},
    "keys_password": {"keys"},
    "postgres_admin_url": {"migrate"},
    "keys_admin_url": {"migrate"},
}


def privileges(found: Composition) -> Iterator[str]:
    """Read-only, without capabilities, as an ordinary user."""
    for name, service in services(found):
        if service.get("read_only") is not True:
            yield f"{name} may write to its root"
        if service.get("cap_drop") != ["ALL"] or service.get("cap_add") or service.get("privileged"):
            yield f"{name} keeps capabilities"
        if "no-new-privileges:true" not in service.get("security_opt", []):
            yield f"{name} may gain privileges"
        if not NUMERIC_USER.fullmatch(str(service.get("user", ""))):
            yield f"{name} runs as root or as a user by name"


def limits(found: Composition) -> Iterator[str]:
    """A container cannot take the machine, nor its log the disk."""
    for name, service in services(found):
        given = service.get("deploy", {}).get("resources", {}).get("limits", {})
        for limit in ("cpus", "memory", "pids"):
            if limit not in given:
                yield f"{name} has no limit of {limit}"
        options = service.get("logging", {}).get("options", {})
        if not {"max-size", "max-file"} <= set(options):
            yield f"{name} writes a log without end"
        if service.get("restart") not in {"no", "unless-stopped"}:
            yield f"{name} has no restart policy"
        if runs_on(service) and "stop_grace_period" not in service:
            yield f"{name} is killed at any moment when it is stopped"


def reachability(found: Composition) -> Iterator[str]:
    """Servers without a user list are published nowhere, the others on the loopback."""
    for name, service in services(found):
        for port in map(str, service.get("ports", [])):
            if name in CLOSED:
                yield f"{name} publishes {port}"
            elif not port.startswith(LOOPBACK):
                yield f"{name} publishes {port} beyond the loopback"
            if not container_port(port).isdigit():
                yield f"{name} publishes {port}, which names no port of the container"
        if not service.get("networks"):
            yield f"{name} is in the default network"
        if name in CLOSED and OPEN_NETWORKS & set(service["networks"]):
            yield f"{name} reaches the outside"
    for network, options in found["networks"].items():
        if network not in OPEN_NETWORKS and not (options or {}).get("internal"):
            yield f"network {network} reaches the outside"


def administrators(found: Composition) -> Iterator[str]:
    """Administrators' passwords reach the servers and `migrate`; the owners' also the commands."""
    for name, service in services(found):
        for secret in service.get("secrets", []):
            if name not in ADMINISTRATORS.get(secret, {name}):
                yield f"{name} is given {secret}"
        for variable in service.get("environment", {}):
            if "OWNER" in variable and name not in {"migrate", "commands"}:
                yield f"{name} is given {variable}"
            if variable in {"DATABASE_URL", "KEYS_DATABASE_URL"}:
                yield f"{name} is given an administrator's address in its environment"


def images(found: Composition) -> Iterator[str]:
    """By an exact version: a tag that moves is another program tomorrow."""
    for name, service in services(found):
        tag = with_defaults(str(service.get("image", ""))).rpartition(":")[2]
        if not re.fullmatch(r"\d+(\.\d+)+[\w.-]*", tag):
            yield f"{name} runs an image whose tag {tag!r} moves"
