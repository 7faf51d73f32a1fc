"""Names a classifier: its version, its words and the taxonomy it learnt."""

import hashlib

from adapters.triage.taxonomy import background_examples
from domain.model import Digest, canonical_json
from domain.triage import Taxonomy

CLASSIFIER_VERSION = "linear-1"


def classifier_digest(taxonomy: Taxonomy) -> Digest:
    """The same taxonomy and version always have the same digest."""
    content = "\n".join([CLASSIFIER_VERSION, *background_examples()]).encode()
    return "sha256:" + hashlib.sha256(content + canonical_json(taxonomy)).hexdigest()
