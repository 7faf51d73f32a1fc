"""The tenant file: one YAML file that says everything about a tenant. docs/tenants.md explains it."""

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Annotated, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from domain.model import Code
from domain.playbook import RefundPlaybook
from domain.ports import ACKNOWLEDGEMENT
from domain.ticket import TenantSettings
from domain.triage import Taxonomy

SECRET_FROM_FILE = "file:"  # noqa: S105 - how a secret is named, not one
SECRETS = frozenset({"api_token", "webhook_secrets", "token", "secret_key", "bot_token"})
NAME = TypeAdapter(Code)


class TenantFileRefused(Exception):
    """The tenant file, or a file that it names, cannot be used. Says where and what to do, never a value."""

    def __init__(self, file: Path, field: str, remedy: str) -> None:
        place = f", field {field!r}" if field else ""
        super().__init__(f"File {file.name!r}{place}: {remedy}")


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("Write an address such as https://shop.example.com/api")
    return text


def _ticket_address(text: str) -> str:
    _web_address(text.replace("{number}", "1"))
    if "{number}" not in urlsplit(text).path:
        raise ValueError(
            "Write where people open a ticket, such as https://desk.example.com/tickets/{number}"
        )
    return text


def _webhook_secret(secret: SecretStr) -> SecretStr:
    kind, mark, key = secret.get_secret_value().partition("_")
    try:
        long_enough = len(base64.b64decode(key, validate=True)) >= 16
    except binascii.Error:
        long_enough = False
    if (kind, mark) != ("whsec", "_") or not long_enough:
        raise ValueError("Write a Standard Webhooks secret: whsec_ and at least 16 bytes as base64")
    return secret


WebAddress = Annotated[str, AfterValidator(_web_address)]
TicketAddress = Annotated[str, AfterValidator(_ticket_address)]
WebhookSecret = Annotated[SecretStr, AfterValidator(_webhook_secret)]
Secret = Annotated[SecretStr, Field(min_length=1)]
Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
SlackTeam = Annotated[str, StringConstraints(pattern=r"^[TE][A-Z0-9]{2,20}$")]
SlackChannel = Annotated[str, StringConstraints(pattern=r"^[CG][A-Z0-9]{2,20}$")]
SlackUser = Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{2,20}$")]


class Part(BaseModel):
    """A part of the file; an unknown word is refused, because it may be a misspelt limit."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class HelpdeskPart(Part):
    """The helpdesk that knocks and is answered."""

    source: Literal["generic"] = "generic"
    base_url: WebAddress
    ticket_url: TicketAddress | None = None
    api_token: Secret
    webhook_secrets: tuple[WebhookSecret, ...] = Field(min_length=1)
    slug: Slug


class ShopPart(Part):
    """Where orders are read."""

    base_url: WebAddress
    token: Secret


class PaymentsPart(Part):
    """Where refunds go."""

    base_url: WebAddress
    secret_key: Secret


class SlackPart(Part):
    """The workspace and the support channel."""

    team_id: SlackTeam
    channel_id: SlackChannel
    bot_token: Secret


class TeammatePart(Part):
    """A person who may answer approvals, by their groups."""

    name: str = Field(min_length=1, max_length=100)
    slack_user_id: SlackUser
    groups: tuple[Code, ...] = ()
    roles: tuple[Code, ...] = ()


class TenantFile(Part):
    """The whole file. `policy`, `articles` and a `taxonomy` of the tenant's own are paths beside it."""

    title: str = Field(min_length=1, max_length=80)
    settings: TenantSettings = TenantSettings()
    taxonomy: str = "starter"
    greeting: str = "Hello {name},"
    signature: str | None = None
    acknowledgement: str = ACKNOWLEDGEMENT
    helpdesk: HelpdeskPart
    shop: ShopPart
    payments: PaymentsPart
    slack: SlackPart
    teammates: tuple[TeammatePart, ...] = Field(min_length=1)
    playbooks: tuple[RefundPlaybook, ...] = ()
    policy: str
    articles: str

    @model_validator(mode="after")
    def _someone_can_approve(self) -> "TenantFile":
        group = self.settings.approver_group
        if not any(group in teammate.groups for teammate in self.teammates):
            raise ValueError(f"Put at least one teammate into the group {group!r}, or nobody can approve")
        return self


def checked_name(name: str) -> str:
    """A tenant's name is part of addresses and ids."""
    try:
        return NAME.validate_python(name)
    except ValidationError:
        raise TenantNameRefused from None


class TenantNameRefused(Exception):
    """Not a name."""

    def __init__(self) -> None:
        super().__init__("A tenant's name has small letters, digits and _ only, such as harbour_books")


def read_tenant_file(path: Path, fill: Mapping[str, str] | None = None) -> TenantFile:
    """`fill` replaces `${words}` of a template, as the demo does. Raises `TenantFileRefused`."""
    text = read_text(path, path)
    document = parse_yaml(path, Template(text).substitute(fill) if fill is not None else text)
    try:
        return TenantFile.model_validate(_with_secrets(path, document))
    except ValidationError as error:
        raise refusal(path, error) from None


def read_taxonomy(path: Path) -> Taxonomy:
    """A taxonomy of the tenant's own. Raises `TenantFileRefused`."""
    try:
        return Taxonomy.model_validate(parse_yaml(path, read_text(path, path)))
    except ValidationError as error:
        raise refusal(path, error) from None


def read_text(path: Path, named_by: Path, field: str = "") -> str:
    """A UTF-8 file. Raises `TenantFileRefused` with the file that named it."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise TenantFileRefused(path, "", "Save it as UTF-8") from None
    except OSError:
        remedy = f"Cannot read {path.name!r}. Check that it is there and readable"
        raise TenantFileRefused(named_by, field, remedy) from None


def parse_yaml(path: Path, text: str) -> object:
    """YAML with a mapping at its top."""
    try:
        document: object = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f" near line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise TenantFileRefused(
            path, "", f"Is not YAML{line}. Check quotes, colons and blanks there"
        ) from None
    except yaml.YAMLError:
        raise TenantFileRefused(path, "", "Is not YAML. Remove control characters") from None
    if not isinstance(document, dict):
        raise TenantFileRefused(path, "", "Begin with lines such as `title: Harbour Books`")
    return document


def refusal(path: Path, error: ValidationError) -> TenantFileRefused:
    """The first thing that is wrong, and how many more there are."""
    found = error.errors(include_input=False, include_url=False)
    more = f" ({len(found) - 1} more after it)" if len(found) > 1 else ""
    field = ".".join(str(part) for part in found[0]["loc"])
    return TenantFileRefused(path, field, _remedy(found[0]) + more)


def _remedy(error: ErrorDetails) -> str:
    match error["type"]:
        case "missing":
            return "Is missing. Add it"
        case "extra_forbidden":
            return "Is not a word of this file. Remove it or correct its spelling"
        case "value_error":
            return error["msg"].removeprefix("Value error, ")
        case _:
            return re.sub(r"^(Input|Value|String) ", "It ", error["msg"])


def _with_secrets(path: Path, value: object, word: str = "") -> object:
    """A secret written `file:NAME` becomes the content of that file, beside the tenant file or absolute."""
    if isinstance(value, dict):
        return {inner: _with_secrets(path, content, inner) for inner, content in value.items()}
    if isinstance(value, list):
        return [_with_secrets(path, content, word) for content in value]
    if word in SECRETS and isinstance(value, str) and value.startswith(SECRET_FROM_FILE):
        return read_text(path.parent / value.removeprefix(SECRET_FROM_FILE), path, word).strip()
    return value
