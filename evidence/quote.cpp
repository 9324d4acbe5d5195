#include "evidence/quote.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <tss2/tss2_mu.h>

#include "base/error.h"
#include "base/openssl.h"

namespace evidence {
namespace {

using base::Bytes;
using base::ByteView;
using base::InvalidInput;
using measure::HashAlgorithm;

using EcdsaSigPtr = std::unique_ptr<ECDSA_SIG, base::FreeWith<ECDSA_SIG_free>>;
using base::BignumPtr;

constexpr std::size_t kP256CoordinateSize = 32;
constexpr std::size_t kRsa2048Size = 256;
constexpr UINT32 kEndorsementHierarchy = TPM2_RH_ENDORSEMENT;
constexpr TPMA_OBJECT kAttestationKeyAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                                  TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                                                  TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;

template <typename Tpm2b>
Bytes bytes_of(const Tpm2b& buffer, const BYTE* data) {
  return {data, data + buffer.size};
}

TPMT_SIGNATURE parse_signature(ByteView bytes) {
  TPMT_SIGNATURE signature{};
  std::size_t offset = 0;
  if (Tss2_MU_TPMT_SIGNATURE_Unmarshal(bytes.data(), bytes.size(), &offset, &signature) != TSS2_RC_SUCCESS) {
    throw InvalidInput("quote signature", "is not a TPMT_SIGNATURE");
  }
  if (offset != bytes.size()) throw InvalidInput("quote signature", "bytes follow the TPMT_SIGNATURE");
  return signature;
}

/// The signature as OpenSSL wants it, and the hash that was signed.
struct OpensslSignature {
  HashAlgorithm hash;
  Bytes bytes;
};

HashAlgorithm signing_hash(TPMI_ALG_HASH algorithm) {
  const auto known = measure::hash_algorithm_of(algorithm);
  if (!known || *known == HashAlgorithm::kSha1) throw InvalidInput("quote signature", "is not made with SHA-2");
  return *known;
}

OpensslSignature to_openssl(const TPMT_SIGNATURE& signature, const EVP_PKEY& key) {
  if (signature.sigAlg == TPM2_ALG_ECDSA && EVP_PKEY_get_base_id(&key) == EVP_PKEY_EC) {
    const TPMS_SIGNATURE_ECDSA& ecdsa = signature.signature.ecdsa;
    const HashAlgorithm hash = signing_hash(ecdsa.hash);
    const EcdsaSigPtr pair(ECDSA_SIG_new());
    ECDSA_SIG_set0(pair.get(), BN_bin2bn(ecdsa.signatureR.buffer, ecdsa.signatureR.size, nullptr),
                   BN_bin2bn(ecdsa.signatureS.buffer, ecdsa.signatureS.size, nullptr));
    unsigned char* der = nullptr;
    const int length = i2d_ECDSA_SIG(pair.get(), &der);
    if (length < 0) throw InvalidInput("quote signature", "is no ECDSA signature");
    OpensslSignature result{hash, Bytes(der, der + length)};
    OPENSSL_free(der);
    return result;
  }
  if (signature.sigAlg == TPM2_ALG_RSASSA && EVP_PKEY_get_base_id(&key) == EVP_PKEY_RSA) {
    const TPMS_SIGNATURE_RSA& rsa = signature.signature.rsassa;
    return {signing_hash(rsa.hash), bytes_of(rsa.sig, rsa.sig.buffer)};
  }
  throw InvalidInput("quote signature", "scheme does not fit the attestation key");
}

const EVP_MD* evp_of(HashAlgorithm algorithm) {
  return EVP_get_digestbyname(std::string(measure::name_of(algorithm)).c_str());
}

void verify_signature(ByteView message, const OpensslSignature& signature, const EVP_PKEY& key) {
  const base::EvpMdContextPtr context(EVP_MD_CTX_new());
  // OpenSSL counts references in the key, which is why it does not take it as const.
  auto* mutable_key = const_cast<EVP_PKEY*>(&key);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  const bool good = EVP_DigestVerifyInit(context.get(), nullptr, evp_of(signature.hash), nullptr, mutable_key) == 1 &&
                    EVP_DigestVerify(context.get(), signature.bytes.data(), signature.bytes.size(), message.data(),
                                     message.size()) == 1;
  if (!good) {
    base::openssl_error();
    throw InvalidInput("quote signature", "is not that of the attestation key over the quote");
  }
}

Bytes marshal(const TPMT_PUBLIC& area) {
  Bytes bytes(sizeof(TPMT_PUBLIC));
  std::size_t length = 0;
  if (Tss2_MU_TPMT_PUBLIC_Marshal(&area, bytes.data(), bytes.size(), &length) != TSS2_RC_SUCCESS) {
    throw base::Error("encoding a TPMT_PUBLIC failed");
  }
  bytes.resize(length);
  return bytes;
}

void fill_ecc(TPMT_PUBLIC& area, const EVP_PKEY& key) {
  std::array<char, 64> group{};
  std::array<unsigned char, 1 + 2 * kP256CoordinateSize> point{};
  std::size_t length = 0;
  const bool is_p256 =
      EVP_PKEY_get_utf8_string_param(&key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(), nullptr) == 1 &&
      std::string_view(group.data()) == "prime256v1";
  if (!is_p256 ||
      EVP_PKEY_get_octet_string_param(&key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &length) != 1 ||
      length != point.size() || point[0] != POINT_CONVERSION_UNCOMPRESSED) {
    throw InvalidInput("attestation key", "is no P-256 key");
  }
  area.type = TPM2_ALG_ECC;
  TPMS_ECC_PARMS& parameters = area.parameters.eccDetail;
  parameters.symmetric.algorithm = TPM2_ALG_NULL;
  parameters.scheme.scheme = TPM2_ALG_ECDSA;
  parameters.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  parameters.curveID = TPM2_ECC_NIST_P256;
  parameters.kdf.scheme = TPM2_ALG_NULL;
  area.unique.ecc.x.size = kP256CoordinateSize;
  area.unique.ecc.y.size = kP256CoordinateSize;
  std::memcpy(area.unique.ecc.x.buffer, point.data() + 1, kP256CoordinateSize);
  std::memcpy(area.unique.ecc.y.buffer, point.data() + 1 + kP256CoordinateSize, kP256CoordinateSize);
}

void fill_rsa(TPMT_PUBLIC& area, const EVP_PKEY& key) {
  BIGNUM* raw_modulus = nullptr;
  if (EVP_PKEY_get_bn_param(&key, OSSL_PKEY_PARAM_RSA_N, &raw_modulus) != 1) {
    throw InvalidInput("attestation key", "has no RSA modulus");
  }
  const BignumPtr modulus(raw_modulus);
  if (BN_num_bits(modulus.get()) != static_cast<int>(kRsa2048Size * 8)) {
    throw InvalidInput("attestation key", "is no 2048-bit RSA key");
  }
  area.type = TPM2_ALG_RSA;
  TPMS_RSA_PARMS& parameters = area.parameters.rsaDetail;
  parameters.symmetric.algorithm = TPM2_ALG_NULL;
  parameters.scheme.scheme = TPM2_ALG_RSASSA;
  parameters.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256;
  parameters.keyBits = kRsa2048Size * 8;
  parameters.exponent = 0;
  area.unique.rsa.size = kRsa2048Size;
  BN_bn2binpad(modulus.get(), area.unique.rsa.buffer, kRsa2048Size);
}

}  // namespace

QuoteInfo parse_quote_info(ByteView attest) {
  // Some versions of the library look at it themselves, and do not say so.
  if (attest.size() >= sizeof(TPM2_GENERATED) &&
      base::ByteReader(attest, "quote").u32_be("magic") != TPM2_GENERATED_VALUE) {
    throw InvalidInput("quote", "magic is not TPM_GENERATED_VALUE");
  }
  TPMS_ATTEST parsed{};
  std::size_t offset = 0;
  if (Tss2_MU_TPMS_ATTEST_Unmarshal(attest.data(), attest.size(), &offset, &parsed) != TSS2_RC_SUCCESS) {
    throw InvalidInput("quote", "is not a TPMS_ATTEST");
  }
  if (offset != attest.size()) throw InvalidInput("quote", "bytes follow the TPMS_ATTEST");
  if (parsed.type != TPM2_ST_ATTEST_QUOTE) throw InvalidInput("quote", "is an attestation of another type");
  const TPML_PCR_SELECTION& selections = parsed.attested.quote.pcrSelect;
  if (selections.count != 1) {
    throw InvalidInput("quote", "selects " + std::to_string(selections.count) + " banks instead of one");
  }
  const TPMS_PCR_SELECTION& selection = selections.pcrSelections[0];
  const auto bank = measure::hash_algorithm_of(selection.hash);
  if (!bank) throw InvalidInput("quote", "selects a bank of an unknown algorithm");
  QuoteInfo info;
  info.qualified_signer = bytes_of(parsed.qualifiedSigner, parsed.qualifiedSigner.name);
  info.qualifying_data = bytes_of(parsed.extraData, parsed.extraData.buffer);
  info.bank = *bank;
  for (std::uint32_t pcr = 0; pcr < std::uint32_t{selection.sizeofSelect} * 8; ++pcr) {
    if ((selection.pcrSelect[pcr / 8] & (1U << (pcr % 8))) != 0) info.pcrs.insert(pcr);
  }
  info.pcr_digest = bytes_of(parsed.attested.quote.pcrDigest, parsed.attested.quote.pcrDigest.buffer);
  return info;
}

void verify_quote(const Quote& quote, const EVP_PKEY& key, ByteView qualifying_data) {
  const OpensslSignature signature = to_openssl(parse_signature(quote.signature), key);
  verify_signature(quote.attest, signature, key);
  const QuoteInfo info = parse_quote_info(quote.attest);
  if (!base::equal_in_constant_time(info.qualifying_data, qualifying_data)) {
    throw InvalidInput("quote", "qualifying data is not the challenge's nonce");
  }
  if (info.bank != quote.bank) throw InvalidInput("quote", "is of another PCR bank than stated");
  const bool same_pcrs = std::ranges::equal(info.pcrs, quote.pcr_values, {}, {}, [](const auto& v) { return v.first; });
  if (info.pcrs.empty() || !same_pcrs) {
    throw InvalidInput("quote", "selects other PCRs than those whose values are given");
  }
  Bytes values;
  for (const auto& [pcr, value] : quote.pcr_values) {
    if (value.size() != measure::digest_size(quote.bank)) {
      throw InvalidInput("quote", "value of PCR " + std::to_string(pcr) + " has the wrong size");
    }
    base::append(values, value);
  }
  // The hash is that of the signature, not that of the bank (TPM 2.0 part 3, section 18.4).
  if (info.pcr_digest != measure::hash(signature.hash, values)) {
    throw InvalidInput("quote", "PCR digest is not that of the PCR values given");
  }
}

Bytes attestation_key_area(const EVP_PKEY& key) {
  TPMT_PUBLIC area{};
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = kAttestationKeyAttributes;
  switch (EVP_PKEY_get_base_id(&key)) {
    case EVP_PKEY_EC: fill_ecc(area, key); break;
    case EVP_PKEY_RSA: fill_rsa(area, key); break;
    default: throw InvalidInput("attestation key", "is neither an ECC nor an RSA key");
  }
  return marshal(area);
}

Bytes qualified_name_in_endorsement(ByteView public_area) {
  constexpr std::array<std::uint8_t, 2> kNameAlgorithm = {TPM2_ALG_SHA256 >> 8U, TPM2_ALG_SHA256 & 0xffU};
  Bytes qualified;
  base::append_u32_be(qualified, kEndorsementHierarchy);
  base::append(qualified, kNameAlgorithm);
  base::append(qualified, measure::hash(HashAlgorithm::kSha256, public_area));
  Bytes name(kNameAlgorithm.begin(), kNameAlgorithm.end());
  base::append(name, measure::hash(HashAlgorithm::kSha256, qualified));
  return name;
}

}  // namespace evidence
