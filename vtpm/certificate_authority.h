#pragma once

#include <filesystem>

#include "base/certificate.h"
#include "base/openssl.h"
#include "evidence/instance_identity.h"

namespace vtpm {

/// The authority with which a cloud vouches for the attestation keys of its virtual TPMs: ca.pem and ca-key.pem (mode
/// 0600) in a folder of its own, P-256.
class CertificateAuthority {
 public:
  /// Makes the folder and a new authority when they are absent. Throws Error, also when only one of the two files is
  /// there.
  static CertificateAuthority open(const std::filesystem::path& directory);

  const X509& certificate() const noexcept { return *certificate_; }

  /// A certificate of `key` that says which machine holds it. Whoever calls knows that the key is in that machine's
  /// TPM.
  base::X509Ptr certify(EVP_PKEY& key, const evidence::InstanceIdentity& identity,
                        const base::Validity& validity) const;

 private:
  CertificateAuthority(base::EvpPkeyPtr key, base::X509Ptr certificate);

  base::EvpPkeyPtr key_;
  base::X509Ptr certificate_;
};

}  // namespace vtpm
