"""`countersign policy publish` and `load`: a file becomes a version; `load` also puts it in force."""

import asyncio
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import click
from rich.console import Console

from adapters import regorus
from adapters.policy.bundle import Bundle
from adapters.policy.effective import Effective, alone
from adapters.policy.file import read_file
from adapters.policy.lint import FindingCode, Severity, lint
from adapters.policy.published import Published, published
from adapters.policy.reserved import refuse_reserved
from adapters.policy.smoke import smoke
from adapters.policy.tables import POLICY, run, tables
from adapters.policy.written import as_amount
from adapters.postgres.policy_moves import MoverMissing
from adapters.postgres.policy_register import Publication, TestRun
from adapters.settings import Settings
from cli.connected import running_settings
from cli.policy_places import Policies, Whose, in_development, place_options, policies_of, short
from cli.tenants import put_policy
from domain.errors import BundleRefused
from domain.model import Digest

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
LONGEST_REASON = 1000
# A level without approvers of its own asks those of another, which one file does not show.
OF_SEVERAL_LEVELS = frozenset({FindingCode.APPROVAL_TERMS_MISSING})


@dataclass(frozen=True)
class Signed:
    """Who wrote a file, who read it, and why, as people write it."""

    author: str
    reviewers: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Agreed:
    """Who puts a file in force, who agreed, and why, as people write it."""

    by: str | None = None
    second: str | None = None
    reason: str = ""


class OwnReviewer(Exception):
    """Nobody reviews what they wrote."""

    def __init__(self) -> None:
        super().__init__("The author cannot be a reviewer. Name somebody else with --reviewer")


class RowsFailed(Exception):
    """What the author expects is not what the file decides."""

    def __init__(self, failed: int, first: str) -> None:
        more = f", and {failed - 1} more" if failed > 1 else ""
        super().__init__(f"The tables fail: {first}{more}. Nothing was published")


@click.command()
@click.argument("file", type=FILE)
@place_options
@click.option("--author", required=True, help="Who wrote it: an id, or a Slack user id.")
@click.option("--reviewer", "reviewers", multiple=True, help="Who read it; may be given again.")
@click.option("--reason", required=True, help="Why, in a sentence for auditors.")
@click.option("--tables", "folder", type=FOLDER, help="Tables that the file must pass.")
def publish(  # noqa: PLR0913, PLR0917 - one option each
    file: Path,
    whose: Whose,
    author: str,
    reviewers: tuple[str, ...],
    reason: str,
    folder: Path | None,
) -> None:
    """Check FILE and keep it as a version, which never changes. It decides nothing until it is activated."""
    if len(reason) > LONGEST_REASON:
        raise click.UsageError(f"--reason is longer than {LONGEST_REASON} characters")
    bundle = read_file(file)
    asyncio.run(_publish(whose, bundle, folder, Signed(author, reviewers, reason)))


@click.command()
@click.argument("file", type=FILE)
@click.option("--tenant", required=True, help="The tenant's name.")
@click.option(
    "--by", help="Who puts it in force; may be left out for a first policy, and outside production."
)
@click.option("--second", help="Who agrees, where it may lower enforcement.")
@click.option("--reason", default="", help="Why, in a sentence for auditors.")
def load(file: Path, tenant: str, by: str | None, second: str | None, reason: str) -> None:
    """Put FILE in force for a tenant, from its next decision on.

    Outside production one person may also lower enforcement with it, and the audit trail says so.
    """
    bundle = read_file(file)
    version = asyncio.run(put_in_force(bundle, tenant, Agreed(by, second, reason)))
    click.echo(f"In force for {tenant!r}: {_in_words(bundle)} ({short(version)})")


async def put_in_force(
    bundle: Bundle, tenant: str, agreed: Agreed, settings: Settings | None = None
) -> Digest:
    """Publishes it and moves the tenant's pointer; its version. Repeating is safe."""
    known = settings or running_settings()
    file = published(bundle)
    await checked(bundle, file)
    async with policies_of(Whose(tenant, organisation=False, agent=None), known) as policies:
        movers = await policies.movers(agreed.by, agreed.second, development=in_development(known))
        if movers.by is None and not movers.development and await _another_decides(policies, file):
            raise MoverMissing
        publication = Publication(author=movers.by, reason=agreed.reason)
        await put_policy(policies.stores, policies.place.tenant_id, bundle, publication, movers)
    return file.version


async def checked(bundle: Bundle, file: Published) -> None:
    """What refuses a policy at publication. Raises `BundleRefused`."""
    refuse_reserved(bundle)
    found = [each for each in lint({file.level: bundle}) if each.code not in OF_SEVERAL_LEVELS]
    wrong = [each for each in found if each.severity is Severity.ERROR]
    if wrong:
        said = "; ".join(f"{each.sentence}; {each.suggestion}" for each in wrong[:3])
        raise BundleRefused(f"{said}. `countersign policy check` says more")
    with Console(stderr=True).status("Trying every rule on both engines"):
        await smoke(alone(bundle, file.level))


def tested(policy: Effective, folder: Path) -> TestRun:
    """Every row of every table, decided by this policy. Raises `RowsFailed`, `TableUnusable`."""
    found = [*tables(folder)]
    outcomes = [
        (name, outcome) for name, table in found for outcome in run(table, lambda _: regorus.load(policy))
    ]
    failed = [f"{name}: {outcome.note}: {outcome.failure}" for name, outcome in outcomes if outcome.failure]
    if failed or not outcomes:
        raise RowsFailed(len(failed), failed[0] if failed else f"there is no row in {folder.name!r}")
    texts = [path.read_bytes() for path in sorted(folder.glob("*.yaml")) if path.name != POLICY]
    return TestRun(len(found), len(outcomes), "sha256:" + sha256(b"\0".join(texts)).hexdigest())


async def _publish(whose: Whose, bundle: Bundle, folder: Path | None, signed: Signed) -> None:
    async with policies_of(whose) as policies:
        file = published(bundle, policies.level, agent=policies.place.agent)
        author, reviewers = await policies.person(signed.author), await policies.people(signed.reviewers)
        if author in reviewers:
            raise OwnReviewer
        await checked(bundle, file)
        publication = Publication(author, reviewers, signed.reason)
        if folder is not None:
            publication = replace(publication, test_run=tested(alone(bundle, file.level), folder))
        is_new = await policies.stores.register.publish(policies.place, file, publication)
    if not is_new:
        click.echo(f"Version {short(file.version)} of {whose.words} was published before. Nothing changed")
        return
    passed = f", which passed {publication.test_run.rows} rows" if publication.test_run else ""
    click.echo(f"Published version {short(file.version)} of {whose.words}{passed}")
    click.echo(
        "It decides nothing yet: try it with `policy candidate`, put it in force with `policy activate`"
    )


async def _another_decides(policies: Policies, file: Published) -> bool:
    return await policies.stores.register.active(policies.place) not in {None, file.version}


def _in_words(bundle: Bundle) -> str:
    """The limit that people ask for first."""
    limits = next(
        (rule.threshold for rule in bundle.rules if "refund" in (rule.when.actions or ()) and rule.threshold),
        None,
    )
    if limits is None:
        return "no refunds"
    currency, automatic = next(iter(limits.allow_up_to.items()))
    approved = (limits.approval_up_to or limits.allow_up_to)[currency]
    return (
        f"refunds up to {as_amount(automatic)} go out by themselves, up to {as_amount(approved)} with"
        " approval, above that never"
    )
