"""Signs heads and copies with a key that no database holds: it is derived from the master key."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from adapters.audit.chain import key_id

LABEL = b"countersign audit signing key 1"
SEED_BYTES = 32


@dataclass(frozen=True, repr=False)
class AuditSigner:
    """Ed25519. Whoever has the master key can make the same one."""

    key: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """32 raw bytes, for everybody."""
        return self.key.public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        """How heads name the key."""
        return key_id(self.public)

    def sign(self, purpose: bytes, signed: str) -> str:
        """Hex."""
        return self.key.sign(purpose + signed.encode()).hex()


def audit_signer(master_key: bytes) -> AuditSigner:
    """The same key for the same master key, on every machine."""
    seed = HKDF(algorithm=SHA256(), length=SEED_BYTES, salt=None, info=LABEL).derive(master_key)
    return AuditSigner(Ed25519PrivateKey.from_private_bytes(seed))
