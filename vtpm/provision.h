#pragma once

#include "base/bytes.h"
#include "evidence/instance_identity.h"
#include "tpm/tpm.h"
#include "vtpm/certificate_authority.h"

namespace vtpm {

enum class KeyKind { kEcc, kRsa };

/// The template (TPMT_PUBLIC) from which a Google Cloud vTPM makes its attestation key.
base::Bytes attestation_key_template(KeyKind kind);

/// The public key in a TPMT_PUBLIC. Throws InvalidInput unless it is an RSA key or one on P-256.
base::EvpPkeyPtr public_key_of(base::ByteView public_area);

/// Has `authority` certify a key that stands in a TPM. Throws Error unless it is a restricted signing key made from one
/// of the usual templates: a key that signs what it is given would let its holder make up quotes.
base::X509Ptr certify_attestation_key(const CertificateAuthority& authority, const tpm::TpmKey& key,
                                      const evidence::InstanceIdentity& identity, const base::Validity& validity);

/// Makes a fresh vTPM what a cloud hands to a machine: creates the attestation key in the endorsement hierarchy, has it
/// certified, writes template and certificate to NV and shuts the TPM down in order. Throws TpmError or Error.
void provision(tpm::Tpm& tpm, const CertificateAuthority& authority, const evidence::InstanceIdentity& identity,
               const base::Validity& validity, KeyKind kind);

}  // namespace vtpm
