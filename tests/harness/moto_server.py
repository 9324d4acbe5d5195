"""Starts moto's server, whose IAM, KMS and S3 play a cloud: `moto_server.py PORT`, with the Python that has moto.

It asks whether a role may do something to "*", whatever the key of KMS; real policies name keys. Here it asks about the key.
"""

from __future__ import annotations

import sys
from typing import Any

from moto.kms.responses import KmsResponse
from moto.server import main

_authorize = KmsResponse._authenticate_and_authorize_normal_action


def _authorize_for_key(self: KmsResponse, resource: str) -> None:
    key = self._get_param("KeyId")
    if isinstance(key, str) and not key.startswith("arn:"):
        key = f"arn:aws:kms:{self.region}:{self.current_account}:key/{key}"
    _authorize(self, key or resource)


replacement: Any = _authorize_for_key
KmsResponse._authenticate_and_authorize_normal_action = replacement
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
