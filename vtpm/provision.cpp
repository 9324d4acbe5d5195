#include "vtpm/provision.h"

#include <array>
#include <string_view>

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <tss2/tss2_mu.h>

#include "base/encoding.h"
#include "base/error.h"
#include "evidence/quote.h"
#include "tpm/nv_indices.h"

namespace vtpm {
namespace {

using base::Bytes;
using base::ByteView;
using base::InvalidInput;

using base::BignumPtr;
using ParamBuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, base::FreeWith<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, base::FreeWith<OSSL_PARAM_free>>;

constexpr std::string_view kSubject = "key's public area";
constexpr std::size_t kP256CoordinateSize = 32;
constexpr unsigned kDefaultRsaExponent = 65537;  // what a TPM means by exponent 0
constexpr TPMA_OBJECT kRestrictedSigning = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;

// TPMT_PUBLIC (TPM 2.0 part 2, section 12.2.4): type, name algorithm SHA-256, attributes fixedTPM | fixedParent |
// sensitiveDataOrigin | userWithAuth | restricted | sign, no policy, no symmetric algorithm, then
//   RSASSA with SHA-256, 2048 bits, default exponent, empty unique;
//   ECDSA with SHA-256, P-256, no KDF, unique of two coordinates of 32 zero bytes.
// The bytes of unique matter: the TPM derives another key from other bytes.
constexpr std::string_view kRsaTemplate =
    "0001000b0005007200000010"
    "0014000b"
    "0800"
    "00000000"
    "0000";
constexpr std::string_view kEccTemplate =
    "0023000b0005007200000010"
    "0018000b"
    "0003"
    "0010"
    "0020"
    "0000000000000000000000000000000000000000000000000000000000000000"
    "0020"
    "0000000000000000000000000000000000000000000000000000000000000000";

TPMT_PUBLIC parse_area(ByteView bytes) {
  TPMT_PUBLIC area{};
  std::size_t offset = 0;
  if (Tss2_MU_TPMT_PUBLIC_Unmarshal(bytes.data(), bytes.size(), &offset, &area) != TSS2_RC_SUCCESS ||
      offset != bytes.size()) {
    throw InvalidInput(kSubject, "is not a TPMT_PUBLIC");
  }
  return area;
}

base::EvpPkeyPtr key_from(const char* type, OSSL_PARAM_BLD& builder) {
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(&builder));
  const base::EvpPkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    throw InvalidInput(kSubject, "is no public key: " + base::openssl_error());
  }
  return base::EvpPkeyPtr(key);
}

base::EvpPkeyPtr ecc_key(const TPMT_PUBLIC& area) {
  const TPMS_ECC_POINT& unique = area.unique.ecc;
  if (area.parameters.eccDetail.curveID != TPM2_ECC_NIST_P256 || unique.x.size > kP256CoordinateSize ||
      unique.y.size > kP256CoordinateSize) {
    throw InvalidInput(kSubject, "is not on the curve P-256");
  }
  Bytes point(1 + 2 * kP256CoordinateSize, 0);
  point[0] = POINT_CONVERSION_UNCOMPRESSED;
  const auto end_of_x = point.begin() + 1 + kP256CoordinateSize;
  std::copy_n(unique.x.buffer, unique.x.size, end_of_x - unique.x.size);
  std::copy_n(unique.y.buffer, unique.y.size, point.end() - unique.y.size);
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return key_from("EC", *builder);
}

base::EvpPkeyPtr rsa_key(const TPMT_PUBLIC& area) {
  const TPM2B_PUBLIC_KEY_RSA& unique = area.unique.rsa;
  const UINT32 exponent = area.parameters.rsaDetail.exponent;
  const BignumPtr modulus(BN_bin2bn(unique.buffer, unique.size, nullptr));
  const BignumPtr e(BN_new());
  BN_set_word(e.get(), exponent == 0 ? kDefaultRsaExponent : exponent);
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return key_from("RSA", *builder);
}

tpm::AttestationKeyIndices indices_of(KeyKind kind) {
  switch (kind) {
    case KeyKind::kEcc: return tpm::kEccKeyIndices;
    case KeyKind::kRsa: return tpm::kRsaKeyIndices;
  }
  throw base::Error("unknown kind of key");
}

}  // namespace

Bytes attestation_key_template(KeyKind kind) {
  switch (kind) {
    case KeyKind::kEcc: return base::hex_decode(kEccTemplate, "ECC template");
    case KeyKind::kRsa: return base::hex_decode(kRsaTemplate, "RSA template");
  }
  throw base::Error("unknown kind of key");
}

base::EvpPkeyPtr public_key_of(ByteView public_area) {
  const TPMT_PUBLIC area = parse_area(public_area);
  switch (area.type) {
    case TPM2_ALG_ECC: return ecc_key(area);
    case TPM2_ALG_RSA: return rsa_key(area);
    default: throw InvalidInput(kSubject, "is neither an ECC nor an RSA key");
  }
}

base::X509Ptr certify_attestation_key(const CertificateAuthority& authority, const tpm::TpmKey& key,
                                      const evidence::InstanceIdentity& identity, const base::Validity& validity) {
  const TPMT_PUBLIC area = parse_area(key.public_area());
  if ((area.objectAttributes & kRestrictedSigning) != kRestrictedSigning) {
    throw base::Error("the key is not a restricted signing key: it is not certified");
  }
  const base::EvpPkeyPtr public_key = public_key_of(key.public_area());
  if (evidence::attestation_key_area(*public_key) != key.public_area()) {
    throw base::Error("the key is not made from a usual attestation key template: it is not certified");
  }
  return authority.certify(*public_key, identity, validity);
}

void provision(tpm::Tpm& tpm, const CertificateAuthority& authority, const evidence::InstanceIdentity& identity,
               const base::Validity& validity, KeyKind kind) {
  const tpm::AttestationKeyIndices indices = indices_of(kind);
  const Bytes key_template = attestation_key_template(kind);
  tpm.startup();
  {
    const tpm::TpmKey key = tpm.create_endorsement_primary(key_template);
    const base::X509Ptr certificate = certify_attestation_key(authority, key, identity, validity);
    tpm.write_platform_nv(indices.key_template, key_template);
    // The size of the index is the length of the certificate: readers refuse bytes behind it.
    tpm.write_platform_nv(indices.certificate, base::certificate_der(*certificate));
  }
  tpm.shutdown();
}

}  // namespace vtpm
