#pragma once

#include <functional>

#include "attest/turns.h"
#include "base/asio.h"
#include "base/bytes.h"
#include "evidence/evidence.h"
#include "teeserver/router.h"

namespace teeserver {

/// Evidence for a challenge of the workload's own.
using EvidenceSource = std::function<base::Awaitable<evidence::TpmEvidence>(base::Bytes challenge)>;

///   POST /v1/evidence   {"challenge": BASE64}: evidence as JSON (evidence/vm_attestation.h), of which the parameter
///                       fields or $fields, or the header X-Goog-FieldMask, may choose members
/// `turns` must outlive it.
Endpoint evidence_endpoint(EvidenceSource source, attest::Turns& turns);

}  // namespace teeserver
