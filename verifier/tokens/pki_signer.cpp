#include "verifier/tokens/pki_signer.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/error.h"
#include "evidence/jose.h"

namespace verifier {
namespace {

constexpr const char* kLeafName = "Confidential Space token signer";
constexpr std::chrono::hours kLeafClockTolerance{1};

std::string x5c_entry(const X509& certificate) { return base::base64_encode(base::certificate_der(certificate)); }

}  // namespace

PkiSigner::PkiSigner(PkiAuthority authority, base::WallTime now)
    : authority_(std::move(authority)), key_(SigningKey::generate()), leaf_begins_(now - kLeafClockTolerance) {
  leaf_ends_ = std::min<base::WallTime>(now + kLeafLifetime, intermediate_ends());
  renew_at_ = now + kLeafLifetime / 2;
  auto& key = const_cast<EVP_PKEY&>(key_.key());  // NOLINT: its public part is copied
  base::CertificateDraft draft(key, kLeafName, authority_.intermediate.get(), {leaf_begins_, leaf_ends_});
  draft.add_extension(NID_basic_constraints, "critical,CA:FALSE");
  draft.add_extension(NID_key_usage, "critical,digitalSignature");
  draft.add_extension(NID_subject_key_identifier, "hash");
  draft.add_extension(NID_authority_key_identifier, "keyid:always");
  const base::X509Ptr leaf = std::move(draft).sign(*authority_.key);
  header_ = {{"kid", key_.key_id()},
             {"x5c", {x5c_entry(*leaf), x5c_entry(*authority_.intermediate), x5c_entry(*authority_.root)}}};
}

std::string PkiSigner::sign(const base::Json& claims, base::WallTime expires) const {
  if (expires > leaf_ends_) {
    throw base::Error("the PKI's certificates end at " + base::to_rfc3339(leaf_ends_) + ", before the token would");
  }
  return evidence::sign_jwt([this](base::ByteView bytes) { return key_.sign(bytes); }, header_, claims);
}

}  // namespace verifier
