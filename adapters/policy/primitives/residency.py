"""`residency`: model and storage are in these regions."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import JsonValue, RootModel

from adapters.policy.conditions import Fields
from adapters.policy.primitives._base import Eased, Found, Json, listed_besides
from adapters.policy.reading import at
from domain.decision import Verdict
from domain.model import Code


class Residency(RootModel[tuple[Code, ...]]):
    """A list of words."""

    grants: ClassVar[bool] = False
    says: ClassVar[Mapping[str, str]] = {
        "region_missing": "It is not known where the model runs or the data rests",
        "region_not_listed": "The model or the storage is in a region that policy does not list",
    }

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:  # noqa: ARG002 - the protocol
        """The words in one order."""
        return [*sorted(set(self.root))]

    @staticmethod
    def find(check: JsonValue, document: Json) -> Iterator[Found]:
        """Nothing where both are there."""
        regions = [at(document, "residency", name) for name in ("model_region", "storage_region")]
        if not all(isinstance(region, str) for region in regions):
            yield Verdict.DENY, "region_missing"
        elif not isinstance(check, list) or not set(regions) <= set(check):
            yield Verdict.DENY, "region_not_listed"

    @staticmethod
    def eased(before: JsonValue, after: JsonValue, action: str) -> Iterator[Eased]:  # noqa: ARG004 - the protocol
        """More regions."""
        yield from listed_besides(before, after, "residency")
