"""What all scenes are about: who eats what at Corporation Corp, and what the kitchen has to know of it."""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PREFERENCES = """\
Ada,lasagne
Bela,lasagne
Chiara,mushroom risotto
Dmitri,lasagne
Emeka,lentil curry
Fatima,lentil curry
Grace,mushroom risotto
Hiro,lasagne
"""
ORDER = {"lasagne": 4, "lentil curry": 2, "mushroom risotto": 2}


def seal(key: bytes) -> bytes:
    """Return the preferences encrypted with AES-GCM, behind their nonce of 12 bytes."""
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, PREFERENCES.encode(), None)
