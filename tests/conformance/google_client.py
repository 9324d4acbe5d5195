"""Google's own client of the REST API, on our verifier: `google_client.py HOST:PORT PROJECT`, with the Python that has it.

Reads {"attest": COMMAND} on standard input, where COMMAND with a nonce (base64) at the end prints the evidence of a machine that is bound
to it. Prints what each method of the API answers.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.cloud import confidentialcomputing_v1 as api
from google.cloud.location import locations_pb2

AUDIENCE = "https://sts.googleapis.com"
NONCES = ["0123456789", "abcdefghij"]


class Program:
    """The calls, in the order in which a client makes them."""

    def __init__(self, endpoint: str, project: str, attest: list[str]) -> None:
        self._client = api.ConfidentialComputingClient(
            credentials=AnonymousCredentials(), transport="rest", client_options={"api_endpoint": endpoint}
        )
        self._location = f"projects/{project}/locations/us-central1"
        self._project = f"projects/{project}"
        self._attest = attest

    def challenge(self) -> api.Challenge:
        """Get a challenge."""
        return self._client.create_challenge(parent=self._location, challenge=api.Challenge())

    def evidence(self, challenge: api.Challenge) -> api.TpmAttestation:
        """Have the machine attest, bound to a challenge; what it prints is the API's message as JSON."""
        done = subprocess.run([*self._attest, challenge.tpm_nonce], stdout=subprocess.PIPE, check=True)
        return api.TpmAttestation.from_json(done.stdout.decode(), ignore_unknown_fields=False)

    def confidential_space(self, challenge: api.Challenge) -> api.VerifyConfidentialSpaceResponse:
        """Verify evidence of a launch."""
        profile = api.TokenProfile.TOKEN_PROFILE_DEFAULT_EAT
        options = api.VerifyConfidentialSpaceRequest.ConfidentialSpaceOptions(
            audience=AUDIENCE, token_profile=profile, nonce=NONCES, signature_type=api.SignatureType.SIGNATURE_TYPE_OIDC
        )
        request = api.VerifyConfidentialSpaceRequest(
            challenge=challenge.name, tpm_attestation=self.evidence(challenge), options=options
        )
        return self._client.verify_confidential_space(request=request)

    def attestation(self, challenge: api.Challenge) -> api.VerifyAttestationResponse:
        """Verify evidence of a machine, in the older form."""
        options = api.TokenOptions(audience=AUDIENCE, nonce=NONCES, token_type=api.TokenType.TOKEN_TYPE_OIDC)
        request = api.VerifyAttestationRequest(
            challenge=challenge.name, tpm_attestation=self.evidence(challenge), token_options=options
        )
        return self._client.verify_attestation(request=request)

    def gke(self, challenge: api.Challenge) -> api.VerifyConfidentialGkeResponse:
        """Verify evidence of a node, which this service does not."""
        request = api.VerifyConfidentialGkeRequest(
            challenge=challenge.name, tpm_attestation=self.evidence(challenge)
        )
        return self._client.verify_confidential_gke(request=request)

    def run(self) -> dict[str, Any]:
        """Make all calls."""
        used = self.challenge()
        space = self.confidential_space(used)
        attestation = self.attestation(self.challenge())
        listed = self._client.list_locations(locations_pb2.ListLocationsRequest(name=self._project))
        got = self._client.get_location(locations_pb2.GetLocationRequest(name=self._location))
        return {
            "challenge": json.loads(api.Challenge.to_json(used)),
            "confidential_space": space.attestation_token,
            "partial_errors": len(space.partial_errors),
            "attestation": attestation.oidc_claims_token,
            "locations": [location.name for location in listed.locations],
            "location": got.name,
            "refusals": {
                "used": refusal_of(lambda: self.confidential_space(used)),
                "gke": refusal_of(lambda: self.gke(self.challenge())),
            },
        }


def refusal_of(call: Callable[[], object]) -> dict[str, Any]:
    """Return what the client makes of a refusal."""
    try:
        call()
    except GoogleAPICallError as error:
        return {"kind": type(error).__name__, "message": error.message, "reason": error.reason, "domain": error.domain}
    return {}


asked = json.load(sys.stdin)
print(json.dumps(Program(sys.argv[1], sys.argv[2], asked["attest"]).run()))
