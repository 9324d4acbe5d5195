#include "evidence/image_signature.h"

#include <array>
#include <memory>
#include <optional>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/encoding.h"
#include "base/error.h"
#include "base/json.h"
#include "base/openssl.h"

namespace evidence {
namespace {

using base::Bytes;
using base::ByteView;
using base::InvalidInput;
using base::JsonObject;

constexpr const char* kPayload = "payload";
constexpr const char* kPublicKey = "dev.cosignproject.cosign/pub";
constexpr const char* kAlgorithm = "dev.cosignproject.cosign/sigalg";
constexpr std::string_view kSimpleSigning = "cosign container image signature";
constexpr std::string_view kStatement = "https://in-toto.io/Statement/v1";
constexpr std::string_view kCosignPredicate = "https://sigstore.dev/cosign/sign/v1";
constexpr std::string_view kStatementType = "application/vnd.in-toto+json";
constexpr base::JsonLimits kPayloadLimits{.max_bytes = kMaxSignaturePayloadBytes, .max_depth = 16, .max_values = 1024};
constexpr int kMinRsaKeyBits = 2048;
constexpr int kMaxRsaKeyBits = 8192;
constexpr BN_ULONG kRsaPublicExponent = 65537;

enum class Scheme { kEcdsaP256, kRsaPkcs1, kRsaPss };

struct SchemeName {
  Scheme scheme;
  std::string_view name;
};
constexpr std::array kSchemes = {SchemeName{Scheme::kEcdsaP256, "ECDSA_P256_SHA256"},
                                 SchemeName{Scheme::kRsaPkcs1, "RSASSA_PKCS1V15_SHA256"},
                                 SchemeName{Scheme::kRsaPss, "RSASSA_PSS_SHA256"}};

/// What a payload says, and what was signed.
struct Statement {
  std::string image_digest;
  std::string public_key;
  std::string algorithm;
  Bytes signed_bytes;
};

/// Of a statement that names several images: annotations belong to one.
Statement parse_statement(const JsonObject& json, ByteView payload) {
  if (json.string("predicateType") != kCosignPredicate) {
    throw InvalidInput(json.path() + ".predicateType", "is not " + std::string(kCosignPredicate));
  }
  const auto subjects = json.objects_or_empty("subject");
  if (subjects.size() != 1) throw InvalidInput(json.path() + ".subject", "is not one image");
  const JsonObject annotations = subjects.front().object("annotations");
  Statement statement{.image_digest = "sha256:" + subjects.front().object("digest").string("sha256"),
                      .public_key = annotations.string(kPublicKey),
                      .algorithm = annotations.string(kAlgorithm),
                      .signed_bytes = {}};
  // DSSE, protocol.md: PAE(type, body).
  const std::string head = "DSSEv1 " + std::to_string(kStatementType.size()) + " " + std::string(kStatementType) + " " +
                           std::to_string(payload.size()) + " ";
  const ByteView head_bytes = base::view_of(head);
  statement.signed_bytes.assign(head_bytes.begin(), head_bytes.end());
  statement.signed_bytes.insert(statement.signed_bytes.end(), payload.begin(), payload.end());
  return statement;
}

Statement parse_simple_signing(const JsonObject& json, ByteView payload) {
  const JsonObject critical = json.object("critical");
  if (critical.string("type") != kSimpleSigning) {
    throw InvalidInput(critical.path() + ".type", "is not \"" + std::string(kSimpleSigning) + "\"");
  }
  const JsonObject optional = json.object("optional");
  return {.image_digest = critical.object("image").string("docker-manifest-digest"),
          .public_key = optional.string(kPublicKey),
          .algorithm = optional.string(kAlgorithm),
          .signed_bytes = {payload.begin(), payload.end()}};
}

Statement parse_payload(ByteView payload) {
  const base::Json parsed = base::parse_json(base::text_of(payload), kPayload, kPayloadLimits);
  const JsonObject json(parsed, kPayload);
  if (!json.has("_type")) return parse_simple_signing(json, payload);
  if (json.string("_type") != kStatement) throw InvalidInput(json.path() + "._type", "is no in-toto statement");
  return parse_statement(json, payload);
}

Scheme scheme_named(const std::string& name) {
  for (const auto& [scheme, known] : kSchemes) {
    if (known == name) return scheme;
  }
  throw InvalidInput(kAlgorithm, "is none of ECDSA_P256_SHA256, RSASSA_PKCS1V15_SHA256 and RSASSA_PSS_SHA256");
}

struct PemBlock {
  std::string label;
  Bytes content;
};

PemBlock parse_pem(const std::string& encoded) {
  if (encoded.find('=') != std::string::npos) throw InvalidInput(kPublicKey, "is padded");
  if (encoded.find_first_of("-_") != std::string::npos)
    throw InvalidInput(kPublicKey, "is not in base64's own alphabet");
  const Bytes pem = base::base64_decode(encoded, kPublicKey);
  const base::BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* content = nullptr;
  long length = 0;
  if (!bio || PEM_read_bio(bio.get(), &label, &header, &content, &length) != 1) {
    base::openssl_error();
    throw InvalidInput(kPublicKey, "is not PEM");
  }
  PemBlock block{.label = label, .content = {content, content + length}};
  const bool has_header = *header != '\0';
  OPENSSL_free(label);
  OPENSSL_free(header);
  OPENSSL_free(content);
  if (has_header) throw InvalidInput(kPublicKey, "has headers");
  if (BIO_pending(bio.get()) != 0) throw InvalidInput(kPublicKey, "bytes follow the PEM block");
  return block;
}

base::EvpPkeyPtr key_of(const PemBlock& block) {
  const unsigned char* cursor = block.content.data();
  const auto length = static_cast<long>(block.content.size());
  base::EvpPkeyPtr key;
  if (block.label == "PUBLIC KEY") key.reset(d2i_PUBKEY(nullptr, &cursor, length));
  if (block.label == "RSA PUBLIC KEY") key.reset(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &cursor, length));
  if (!key || cursor != block.content.data() + block.content.size()) {
    base::openssl_error();
    throw InvalidInput(kPublicKey, "is no public key");
  }
  return key;
}

void expect_p256(const EVP_PKEY& key) {
  std::array<char, 32> group{};
  std::size_t length = 0;
  const bool is_named =
      EVP_PKEY_get_base_id(&key) == EVP_PKEY_EC &&
      EVP_PKEY_get_utf8_string_param(&key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(), &length) == 1;
  if (!is_named || std::string_view(group.data(), length) != "prime256v1") {
    base::openssl_error();
    throw InvalidInput(kPublicKey, "is not on P-256, as its algorithm wants");
  }
}

void expect_rsa(const EVP_PKEY& key) {
  if (EVP_PKEY_get_base_id(&key) != EVP_PKEY_RSA)
    throw InvalidInput(kPublicKey, "is no RSA key, as its algorithm wants");
  const int bits = EVP_PKEY_get_bits(&key);
  if (bits < kMinRsaKeyBits || bits > kMaxRsaKeyBits) {
    throw InvalidInput(kPublicKey, "an RSA key of " + std::to_string(bits) + " bits");
  }
  BIGNUM* exponent = nullptr;
  const bool has_exponent = EVP_PKEY_get_bn_param(&key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1;
  const base::BignumPtr owned(exponent);
  if (!has_exponent || BN_is_word(exponent, kRsaPublicExponent) != 1) {
    throw InvalidInput(kPublicKey, "an RSA key whose exponent is not 65537");
  }
}

void expect_fitting(const EVP_PKEY& key, Scheme scheme) {
  switch (scheme) {
    case Scheme::kEcdsaP256: return expect_p256(key);
    case Scheme::kRsaPkcs1:
    case Scheme::kRsaPss: return expect_rsa(key);
  }
}

bool verifies(EVP_PKEY& key, Scheme scheme, ByteView signed_bytes, ByteView signature) {
  const base::EvpMdContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  bool good = context && EVP_DigestVerifyInit(context.get(), &parameters, EVP_sha256(), nullptr, &key) == 1;
  if (good && scheme == Scheme::kRsaPss) {
    good = EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_AUTO) == 1;
  }
  good = good && EVP_DigestVerify(context.get(), signature.data(), signature.size(), signed_bytes.data(),
                                  signed_bytes.size()) == 1;
  if (!good) base::openssl_error();
  return good;
}

}  // namespace

VerifiedImageSignature verify_image_signature(const ImageSignature& signature, std::string_view image_digest) {
  if (signature.signature.size() > kMaxSignatureBytes) throw InvalidInput("signature", "is too long");
  const Statement statement = parse_payload(signature.payload);
  if (statement.image_digest != image_digest) throw InvalidInput(kPayload, "is of another image");
  const Scheme scheme = scheme_named(statement.algorithm);
  const PemBlock pem = parse_pem(statement.public_key);
  const base::EvpPkeyPtr key = key_of(pem);
  expect_fitting(*key, scheme);
  if (!verifies(*key, scheme, statement.signed_bytes, signature.signature)) {
    throw InvalidInput("signature", "does not verify");
  }
  base::Sha256 hash;
  hash.update(pem.content);
  return {.key_id = base::hex_encode(hash.finish()),
          .signature = base::base64_encode(signature.signature),
          .algorithm = statement.algorithm};
}

}  // namespace evidence
