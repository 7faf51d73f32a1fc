"""The audit bundle of one ticket: files that verify by themselves, the same bytes for the same records."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.audit import verify_bundle
from adapters.audit.decoded_history import decoded, versions_in
from adapters.audit.signing import AuditSigner
from adapters.audit.verify_bundle import BUNDLE_PURPOSE, KEY, MANIFEST, SIGNATURE, sha256
from adapters.postgres.ticket_evidence import Rows, TicketEvidence
from adapters.temporal_codec import KeyRing, TenantCodec, TenantKeys
from domain.errors import ArtifactExpired, KeyDestroyed
from domain.history import Histories
from domain.model import ArtifactRef
from domain.ports import ArtifactKind, Artifacts
from domain.ticket import TicketRef

Files = dict[str, bytes]

# Redacted texts. What came in raw, and whose placeholder is whose, stays where it is.
SHOWN = frozenset(
    {
        ArtifactKind.CONVERSATION,
        ArtifactKind.PASSAGES,
        ArtifactKind.DRAFT,
        ArtifactKind.CARD,
        ArtifactKind.REASON,
        ArtifactKind.BUNDLE,
    }
)
VERIFIER = Path(verify_bundle.__file__).read_bytes()
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # a bundle says nothing about when it was exported

ABOUT = """This folder is the evidence that Countersign keeps of one ticket.

    python verify_bundle.py            checks everything; needs Python 3.11 and the package cryptography
    python verify_bundle.py --key ID   also that it was signed by the key that the operator publishes

ticket.json      where the ticket stands
runs.json        its workflow runs; runs/*.json as stored, encrypted; runs/*.decoded.json in clear
artifacts.json   the texts its history names; artifacts/* those that are redacted, not expired and not erased
decisions.json   each policy decision with its complete input; policies/* the policies that decided
approvals.json   what people were asked, how they voted, which clicks were refused, what used the approval
effects.json     what was done outside, with receipts
versions.json    the versions of classifiers, prompts, recognisers and policies that the history names
chain.jsonl      the ticket's audit events in the tenant's chain, and the signed heads that cover them;
                 events of other tickets appear as digests
"""


class NotSealedYet(Exception):
    """Events of the ticket have no link yet."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} events of this ticket wait to be sealed. Try again in a few seconds")


class OutputExists(Exception):
    """An export never writes over anything."""

    def __init__(self, output: Path) -> None:
        super().__init__(f"{str(output)!r} exists. Name a folder or .zip file that does not")


class BundleMaker:
    """Reads everything and changes nothing."""

    def __init__(
        self,
        evidence: TicketEvidence,
        artifacts: Artifacts,
        histories: Histories,
        keys: TenantKeys,
        signer: AuditSigner,
    ) -> None:
        self._evidence = evidence
        self._artifacts = artifacts
        self._histories = histories
        self._ring = KeyRing(keys)
        self._signer = signer

    async def files(self, ticket: TicketRef) -> Files:
        """By path. Raises `NotSealedYet`."""
        rows = await self._evidence.rows(ticket)
        named = [str(ticket.ticket_id), *(row["id"] for row in [*rows["approvals"], *rows["effects"]])]
        segment, waiting = await self._evidence.segment(ticket, named)
        if waiting:
            raise NotSealedYet(waiting)
        files = {
            "README.txt": ABOUT.encode(),
            "verify_bundle.py": VERIFIER,
            KEY: self._signer.public.hex().encode(),
            "ticket.json": _json({"tenant": str(ticket.tenant_id), **(rows["ticket"] or [{}])[0]}),
            "chain.jsonl": b"".join(_line(record) for record in segment),
            **{f"{name}.json": _json(rows[name]) for name in ("decisions", "approvals", "effects")},
            **{f"policies/{_hex(row['id'])}.json": row["content"].encode() for row in rows["policies"]},
        }
        files |= await self._texts(ticket, rows["artifacts"])
        files |= await self._runs(ticket)
        return self._signed(ticket, files)

    async def _texts(self, ticket: TicketRef, rows: Rows) -> Files:
        files: Files = {}
        for row in rows:
            row["state"] = "withheld"
            if row["id"].partition("_")[0] in SHOWN:
                content, row["state"] = await self._text(ticket, row["id"])
                if content is not None:
                    files[f"artifacts/{row['id']}"] = content
            del row["kept"]
        return files | {"artifacts.json": _json(rows)}

    async def _text(self, ticket: TicketRef, reference: ArtifactRef) -> tuple[bytes | None, str]:
        try:
            return await self._artifacts.get(ticket, reference), "included"
        except KeyDestroyed:
            return None, "erased"
        except ArtifactExpired:
            return None, "expired"

    async def _runs(self, ticket: TicketRef) -> Files:
        files: Files = {}
        listed = []
        versions: set[tuple[str, str]] = set()
        for number, run in enumerate(await self._histories.runs_of(ticket), 1):
            stem = f"runs/{number:04d}-{run.workflow_id.partition(':')[0]}-{run.run_id}"
            name = f"{stem}.json" if run.history is not None else None
            listed.append({"workflow_id": run.workflow_id, "run_id": run.run_id, "file": name})
            if run.history is not None:
                clear = await decoded(run.history, TenantCodec(self._ring, ticket.tenant_id))
                versions |= set(versions_in(clear))
                files |= {f"{stem}.json": run.history.encode(), f"{stem}.decoded.json": _json(clear)}
        named = [{"what": what, "version": version} for what, version in sorted(versions)]
        return files | {"runs.json": _json(listed), "versions.json": _json(named)}

    def _signed(self, ticket: TicketRef, files: Files) -> Files:
        listed = {name: sha256(content) for name, content in sorted(files.items())}
        manifest = _json({"version": 1, "ticket": str(ticket.ticket_id), "files": listed})
        signature = self._signer.sign(BUNDLE_PURPOSE, sha256(manifest))
        return files | {MANIFEST: manifest, SIGNATURE: signature.encode()}


def write_bundle(files: Mapping[str, bytes], output: Path) -> None:
    """A folder, or one file where the name ends in .zip. Raises `OutputExists`."""
    if output.exists():
        raise OutputExists(output)
    if output.suffix == ".zip":
        _write_zip(files, output)
        return
    for name, content in sorted(files.items()):
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _write_zip(files: Mapping[str, bytes], output: Path) -> None:
    with zipfile.ZipFile(output, "x", zipfile.ZIP_DEFLATED) as packed:
        for name, content in sorted(files.items()):
            packed.writestr(zipfile.ZipInfo(name, LONG_AGO), content, zipfile.ZIP_DEFLATED)


def _json(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"


def _line(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")
