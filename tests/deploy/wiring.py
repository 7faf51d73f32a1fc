"""Whether what the file names exists and fits together. Each check yields a sentence per fault."""

import importlib.util
import json
import re
from collections.abc import Iterator, Sequence

import click
import jsonschema

from adapters.settings import Settings
from cli.__main__ import countersign
from cli.deploy import SECRETS_FOLDER, environment_of, mounted_secrets
from tests.deploy.composition import (
    ROOT,
    VARIABLE,
    Composition,
    Service,
    container_port,
    environment,
    is_ours,
    runs_on,
    services,
    texts,
    with_defaults,
)

SCHEMA = json.loads((ROOT / "tests/deploy/compose-spec.json").read_text())
PAGE = (ROOT / "docs/operating/production.md").read_text()
MADE = set(re.findall(r"^([A-Z_]+)=", environment_of(), re.MULTILINE))
# What each image is known to have, beside a shell.
HAS = {
    "countersign": {"python"},
    "countersign-postgres": {"pg_isready"},
    "temporalio/server": {"nc"},
    "temporalio/ui": {"wget"},
}
MOUNTED = "/run/secrets/"
SECRET_WORDS = re.compile(r"PASSWORD|PWD|TOKEN|SECRET|MASTER_KEY|API_KEY")


def schema(found: Composition) -> Iterator[str]:
    """The Compose specification's own."""
    for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(found):
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.message}"


def variables(found: Composition) -> Iterator[str]:
    """Every ${NAME} is a setting, is made by `deploy secrets`, or is explained on the page."""
    settings = {str(field.alias) for field in Settings.model_fields.values()}
    for text in texts(found):
        for name, kind, _ in VARIABLE.findall(text):
            if name not in settings | MADE and f"`{name}`" not in PAGE:
                yield f"${{{name}}} is explained nowhere"
            if kind == "":
                yield f"${{{name}}} is empty where it is not set"
            if kind == ":-" and _is_secret(name):
                yield f"${{{name}}} has a default secret"


def literals(found: Composition) -> Iterator[str]:
    """No secret stands in the file itself."""
    for name, service in services(found):
        for variable, value in environment(service).items():
            kept = value is None or str(value).startswith(MOUNTED) or VARIABLE.match(str(value))
            if _is_secret(variable) and not kept:
                yield f"{name} holds {variable} in clear"


def commands(found: Composition) -> Iterator[str]:
    """Ours exist and take these arguments."""
    for name, service in services(found):
        if is_ours(service) and not _runs(service.get("command", [])):
            yield f"{name} runs {' '.join(service.get('command', []))!r}, which does not exist"


def _runs(command: Sequence[str]) -> bool:
    match command:
        case ["countersign", *arguments]:
            return _parses(arguments)
        case ["python", "-m", module]:
            return _exists(module)
        case _:
            return False


def _parses(arguments: Sequence[str]) -> bool:
    if list(arguments) == ["--help"]:
        return True
    try:
        countersign.main([*arguments, "--help"], standalone_mode=False)
    except click.ClickException:
        return False
    return True


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def mounts(found: Composition) -> Iterator[str]:
    """Files are there; named volumes, networks and secrets are declared, and all of them used."""
    used: dict[str, set[str]] = {"volumes": set(), "networks": set(), "secrets": set()}
    for name, service in services(found):
        for volume in service.get("volumes", []):
            source = with_defaults(volume["source"])
            if volume["type"] == "bind" and not (ROOT / source).is_file():
                yield f"{name} mounts {source}, which does not exist"
            if volume["type"] == "bind" and not volume.get("read_only"):
                yield f"{name} may write to {source}"
            if volume["type"] == "volume":
                used["volumes"].add(source)
        for kind in ("networks", "secrets"):
            used[kind] |= set(service.get(kind, []))
    for kind, names in used.items():
        for name in names ^ set(found[kind]):
            yield f"{kind}: {name} is declared and not used, or used and not declared"


def secrets(found: Composition) -> Iterator[str]:
    """What is mounted is what `deploy secrets` makes, and each *_FILE is mounted in its service."""
    files = {name: options["file"] for name, options in found["secrets"].items()}
    if files != {name: f"./{SECRETS_FOLDER}/{name}" for name in mounted_secrets()}:
        yield "the secrets are not those that `countersign deploy secrets` makes"
    for name, service in services(found):
        read = {str(value).removeprefix(MOUNTED) for value in texts(environment(service)) if MOUNTED in value}
        if read != set(service.get("secrets", [])):
            yield f"{name} reads other secrets than it is given"


def health(found: Composition) -> Iterator[str]:
    """Everything that runs on has a check, made of programs that its image has."""
    for name, service in services(found):
        check = service.get("healthcheck", {}).get("test", [])
        if runs_on(service) and not check:
            yield f"{name} has no health check"
        if check and (check[0] != "CMD" or check[1] not in _programs(service)):
            yield f"{name}'s health check needs {check[1]}, which its image is not known to have"
        if check[1:3] == ["python", "-m"] and not _exists(check[3]):
            yield f"{name}'s health check runs {check[3]}, which does not exist"
        if check[1:3] == ["python", "-c"]:
            compile(check[3], name, "exec")


def _programs(service: Service) -> set[str]:
    return HAS.get(str(service["image"]).partition(":")[0], set())


def order(found: Composition) -> Iterator[str]:
    """What is waited for exists and can reach the state that is waited for."""
    known = dict(services(found))
    for name, service in known.items():
        for other, options in service.get("depends_on", {}).items():
            if other not in known:
                yield f"{name} waits for {other}, which does not exist"
                continue
            if options["condition"] == "service_healthy" and "healthcheck" not in known[other]:
                yield f"{name} waits for the health of {other}, which has no check"
            if (options["condition"] == "service_completed_successfully") is runs_on(known[other]):
                yield f"{name} waits for the wrong state of {other}"
            started_with = set(known[other].get("profiles", [])) <= set(service.get("profiles", []))
            if options.get("required", True) and not started_with:
                yield f"{name} cannot start where the profile of {other} is left out"


def ports(found: Composition) -> Iterator[str]:
    """A published port is the one that the process listens on and that its health check asks."""
    for name, service in services(found):
        given = {value for variable, value in environment(service).items() if variable.endswith("_PORT")}
        for port in map(container_port, service.get("ports", [])):
            if port not in given:
                yield f"{name} publishes {port} and does not listen there"
            if not any(f"127.0.0.1:{port}/" in text for text in service["healthcheck"]["test"]):
                yield f"{name}'s health check asks another port than {port}"
    known = dict(services(found))
    codec = environment(known["codec"])["COUNTERSIGN_CODEC_PORT"]
    if environment(known["temporal-ui"])["TEMPORAL_CODEC_ENDPOINT"] != f"http://localhost:{codec}":
        yield "the UI asks another codec server"
    if environment(known["temporal-ui"]).get("TEMPORAL_CODEC_INCLUDE_CREDENTIALS") != "true":
        yield "the UI does not say who signed in"
    ui = str(known["temporal-ui"]["ports"][0]).split(":")[1]
    if environment(known["codec"])["COUNTERSIGN_CODEC_ORIGINS"] != f"http://localhost:{ui}":
        yield "the codec server refuses the UI"


def _is_secret(variable: str) -> bool:
    return not variable.endswith("_FILE") and (
        bool(SECRET_WORDS.search(variable)) or variable.endswith(("_DATABASE_URL", "_KEYS_URL", "OWNER_URL"))
    )
