"""The compose file is right as far as that can be seen without an engine; each check can see its fault."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.deploy import hardening, needs, wiring
from tests.deploy.composition import Composition, composition

Check = Callable[[Composition], Iterator[str]]
CHECKS: tuple[Check, ...] = (
    hardening.privileges,
    hardening.limits,
    hardening.reachability,
    hardening.administrators,
    hardening.images,
    wiring.schema,
    wiring.variables,
    wiring.literals,
    wiring.commands,
    wiring.mounts,
    wiring.secrets,
    wiring.health,
    wiring.order,
    wiring.ports,
    needs.settings,
)
GONE = object()

# check, where in the file, what stands there instead, what the check says
FAULTS: tuple[tuple[Check, str, Any, str], ...] = (
    (hardening.privileges, "services.api.read_only", False, "api may write to its root"),
    (hardening.privileges, "services.worker.cap_add", ["NET_ADMIN"], "worker keeps capabilities"),
    (hardening.privileges, "services.keys.cap_drop", GONE, "keys keeps capabilities"),
    (hardening.privileges, "services.temporal.security_opt", [], "temporal may gain privileges"),
    (hardening.privileges, "services.temporal-ui.user", GONE, "temporal-ui runs as root"),
    (hardening.privileges, "services.api.user", "0:0", "api runs as root"),
    (hardening.limits, "services.api.deploy.resources.limits.memory", GONE, "api has no limit of memory"),
    (hardening.limits, "services.worker.deploy", GONE, "worker has no limit of cpus"),
    (hardening.limits, "services.api.logging", GONE, "api writes a log without end"),
    (hardening.limits, "services.api.restart", GONE, "api has no restart policy"),
    (hardening.limits, "services.worker.stop_grace_period", GONE, "worker is killed at any moment"),
    (hardening.reachability, "services.postgres.ports", ["5432:5432"], "postgres publishes 5432:5432"),
    (hardening.reachability, "services.temporal.ports", ["127.0.0.1:7233:7233"], "temporal publishes"),
    (hardening.reachability, "services.temporal-ui.ports", ["8080:8080"], "beyond the loopback"),
    (hardening.reachability, "services.api.ports", ["0.0.0.0:8000:8000"], "beyond the loopback"),
    (hardening.reachability, "services.api.networks", GONE, "api is in the default network"),
    (hardening.reachability, "services.keys.networks", ["keys", "outside"], "keys reaches the outside"),
    (hardening.reachability, "networks.records", {}, "network records reaches the outside"),
    (
        hardening.administrators,
        "services.worker.secrets",
        ["postgres_admin_url"],
        "worker is given postgres_admin",
    ),
    (
        hardening.administrators,
        "services.api.environment.COUNTERSIGN_OWNER_DATABASE_URL",
        "x",
        "api is given",
    ),
    (hardening.administrators, "services.migrate.environment.DATABASE_URL", "x", "administrator's address"),
    (hardening.images, "services.temporal.image", "temporalio/server:latest", "'latest' moves"),
    (hardening.images, "services.temporal-ui.image", "temporalio/ui", "moves"),
    (hardening.images, "services.postgres.image", "postgres:17", "'17' moves"),
    (wiring.schema, "services.api.comand", ["x"], "comand"),
    (wiring.schema, "services.api.depends_on.migrate.condition", "healthy", "services.api.depends_on"),
    (wiring.variables, "services.api.environment.X", "${NOT_EXPLAINED:-1}", "${NOT_EXPLAINED} is explained"),
    (
        wiring.variables,
        "services.api.environment.X",
        "${COUNTERSIGN_API_PORT}",
        "is empty where it is not set",
    ),
    (
        wiring.variables,
        "services.api.environment.SLACK_SIGNING_SECRET",
        "${SLACK_SIGNING_SECRET:-changeme}",
        "${SLACK_SIGNING_SECRET} has a default secret",
    ),
    (wiring.literals, "services.temporal.environment.POSTGRES_PWD", "temporal", "POSTGRES_PWD in clear"),
    (wiring.literals, "services.api.environment.COUNTERSIGN_MASTER_KEY", "AAAA", "MASTER_KEY in clear"),
    (wiring.commands, "services.api.command", ["python", "-m", "api.door"], "'python -m api.door'"),
    (wiring.commands, "services.migrate.command", ["countersign", "migrat"], "'countersign migrat'"),
    (
        wiring.commands,
        "services.migrate.command",
        ["countersign", "migrate", "--now"],
        "'countersign migrate --now'",
    ),
    (wiring.mounts, "services.temporal.volumes.0.source", "./deploy/temporal/config.yaml", "does not exist"),
    (wiring.mounts, "services.temporal.volumes.0.read_only", False, "temporal may write to"),
    (wiring.mounts, "volumes.spare", {}, "volumes: spare"),
    (wiring.mounts, "services.api.networks", ["record"], "networks: record "),
    (wiring.secrets, "secrets.master_key.file", "./master_key", "not those that"),
    (wiring.secrets, "services.api.secrets", [], "api reads other secrets"),
    (wiring.health, "services.api.healthcheck", GONE, "api has no health check"),
    (wiring.health, "services.temporal.healthcheck.test", ["CMD", "curl", "x"], "needs curl"),
    (
        wiring.health,
        "services.worker.healthcheck.test",
        ["CMD", "python", "-m", "worker.beat"],
        "worker.beat",
    ),
    (wiring.order, "services.api.depends_on", {"migrations": {"condition": "service_started"}}, "migrations"),
    (wiring.order, "services.api.depends_on.migrate.condition", "service_healthy", "which has no check"),
    (
        wiring.order,
        "services.api.depends_on",
        {"keys": {"condition": "service_completed_successfully"}},
        "the wrong state of keys",
    ),
    (wiring.order, "services.migrate.depends_on.postgres.required", True, "profile of postgres is left out"),
    (
        wiring.ports,
        "services.api.environment.COUNTERSIGN_API_PORT",
        "8001",
        "api publishes 8000 and does not",
    ),
    (wiring.ports, "services.api.ports", ["127.0.0.1:8000:8001"], "asks another port than 8001"),
    (wiring.ports, "services.codec.environment.COUNTERSIGN_CODEC_PORT", "8235", "another codec server"),
    (
        wiring.ports,
        "services.temporal-ui.environment.TEMPORAL_CODEC_INCLUDE_CREDENTIALS",
        "false",
        "the UI does not say who signed in",
    ),
    (wiring.ports, "services.temporal-ui.ports", ["127.0.0.1:8081:8080"], "the codec server refuses the UI"),
    (
        needs.settings,
        "services.api.environment.COUNTERSIGN_API_PROT",
        "8000",
        "COUNTERSIGN_API_PROT, which is no",
    ),
    (
        needs.settings,
        "services.worker.environment.COUNTERSIGN_RELAY_DATABASE_URL",
        GONE,
        "worker is not told",
    ),
    (
        needs.settings,
        "services.api.environment.COUNTERSIGN_MASTER_KEY_FILE",
        GONE,
        "not told COUNTERSIGN_MASTER_KEY",
    ),
    (needs.settings, "services.api.environment.COUNTERSIGN_APP_DATABASE_URL", "x", "not its business"),
    (
        needs.settings,
        "services.worker.environment.COUNTERSIGN_ENV",
        "development",
        "that it is in production",
    ),
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_file_has_no_fault(check: Check) -> None:
    assert list(check(composition())) == []


@pytest.mark.parametrize(
    ("check", "where", "instead", "sentence"),
    FAULTS,
    ids=[f"{number}: {fault[3]}" for number, fault in enumerate(FAULTS)],
)
def test_a_planted_fault_is_seen(check: Check, where: str, instead: object, sentence: str) -> None:
    broken = composition()
    _plant(broken, where.split("."), instead)

    assert any(sentence in fault for fault in check(broken)), list(check(broken))


def test_every_check_has_a_planted_fault() -> None:
    assert {check for check, *_ in FAULTS} == set(CHECKS)


def _plant(place: Any, path: list[str], instead: object) -> None:
    for step in path[:-1]:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    if instead is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = instead
