#include "evidence/jose.h"

#include <optional>
#include <utility>

#include <cjose/cjose.h>
#include <openssl/core_names.h>

#include "base/encoding.h"
#include "base/error.h"
#include "base/free_with.h"
#include "base/openssl.h"

namespace evidence {
namespace {

using base::Bytes;
using base::ByteView;
using base::InvalidInput;
using base::Json;
using base::JsonObject;

constexpr const char* kToken = "token";
constexpr std::string_view kRs256 = "RS256";
constexpr std::string_view kEs256 = "ES256";
constexpr std::size_t kMaxJwksBytes = std::size_t{1} << 20U;
constexpr std::size_t kMaxJwksKeys = 64;
constexpr std::size_t kMinRsaBits = 2048;
constexpr std::size_t kMaxRsaBits = 8192;  // verifying costs the square of this
constexpr std::size_t kEs256SignatureSize = 64;

using JwkPtr = std::unique_ptr<cjose_jwk_t, base::FreeWith<cjose_jwk_release>>;
using JwsPtr = std::unique_ptr<cjose_jws_t, base::FreeWith<cjose_jws_release>>;

/// Which signature algorithm a key is for; nothing for a key of another kind, which a key set may hold as well.
std::optional<std::string_view> algorithm_of(const JsonObject& key) {
  const std::string type = key.string("kty");
  std::optional<std::string_view> algorithm;
  if (type == "RSA") algorithm = kRs256;
  if (type == "EC" && key.string("crv") == "P-256") algorithm = kEs256;
  if (key.string_or("use", "sig") != "sig") return std::nullopt;
  if (algorithm && key.string_or("alg", *algorithm) != *algorithm) return std::nullopt;
  return algorithm;
}

/// RFC 7638: the hash of the required members in lexicographic order, without white space.
std::string rsa_thumbprint(const Json& key) {
  const std::string canonical = R"({"e":)" + key.at("e").dump() + R"(,"kty":"RSA","n":)" + key.at("n").dump() + "}";
  base::Sha256 hash;
  hash.update(base::view_of(canonical));
  return base::hex_encode(hash.finish());
}

/// JOSE's base64url has no padding and only its own alphabet; anything else would give one token several spellings.
Bytes decode_part(std::string_view part, std::string_view name) {
  const std::string field = std::string(kToken) + "." + std::string(name);
  if (part.empty()) throw InvalidInput(field, "is empty");
  if (part.find_first_of("+/=") != std::string_view::npos) throw InvalidInput(field, "is not base64url");
  return base::base64_decode(part, field);
}

/// A compact JWS taken apart (RFC 7515, section 7.1). Nothing in it has been verified.
struct CompactJws {
  Json header;
  Bytes payload;
  Bytes signature;
};

CompactJws take_apart(std::string_view jwt) {
  if (jwt.size() > kMaxJwtBytes) throw InvalidInput(kToken, "longer than " + std::to_string(kMaxJwtBytes) + " bytes");
  const std::size_t first = jwt.find('.');
  const std::size_t second = first == std::string_view::npos ? first : jwt.find('.', first + 1);
  if (second == std::string_view::npos || jwt.find('.', second + 1) != std::string_view::npos) {
    throw InvalidInput(kToken, "is not a compact JWS of three parts");
  }
  CompactJws jws;
  const Bytes header = decode_part(jwt.substr(0, first), "header");
  jws.header = base::parse_json(base::text_of(header), std::string(kToken) + ".header");
  jws.payload = decode_part(jwt.substr(first + 1, second - first - 1), "payload");
  const JsonObject fields(jws.header, std::string(kToken) + ".header");
  if (fields.string("alg") == "none") throw InvalidInput(kToken, "is not signed (alg \"none\")");
  // RFC 7515, section 4.1.11: who does not know every extension listed must refuse, and none is known here.
  if (fields.has("crit")) throw InvalidInput(kToken, "has a critical header extension");
  jws.signature = decode_part(jwt.substr(second + 1), "signature");
  return jws;
}

Json parse_claims(ByteView payload) {
  Json claims = base::parse_json(base::text_of(payload), std::string(kToken) + ".claims");
  const JsonObject must_be_an_object(claims, std::string(kToken) + ".claims");
  return claims;
}

}  // namespace

struct Jwk::Impl {
  JwkPtr key;
  std::string_view algorithm;
};

Jwk::Jwk(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
  cjose_err error{};
  const char* key_id = cjose_jwk_get_kid(impl_->key.get(), &error);
  if (key_id != nullptr) key_id_ = key_id;
}

Jwk::Jwk(Jwk&&) noexcept = default;
Jwk& Jwk::operator=(Jwk&&) noexcept = default;
Jwk::~Jwk() = default;

Jwk Jwk::parse(std::string_view json, const std::string& field) {
  const Json parsed = base::parse_json(json, field);
  const JsonObject fields(parsed, field);
  const auto algorithm = algorithm_of(fields);
  if (!algorithm) throw InvalidInput(field, "is not a key for RS256 or ES256 signatures");
  if (fields.string("kid").empty()) throw InvalidInput(field + ".kid", "is empty");
  cjose_err error{};
  JwkPtr key(cjose_jwk_import(json.data(), json.size(), &error));
  if (!key) throw InvalidInput(field, std::string("is not a JSON Web Key: ") + error.message);
  const std::size_t bits = cjose_jwk_get_keysize(key.get(), &error);
  if (*algorithm == kRs256 && (bits < kMinRsaBits || bits > kMaxRsaBits)) {
    throw InvalidInput(field, "an RSA key of " + std::to_string(bits) + " bits");
  }
  return Jwk(std::make_unique<Impl>(Impl{std::move(key), *algorithm}));
}

std::vector<Jwk> parse_jwks(std::string_view json, const std::string& field) {
  const Json parsed = base::parse_json(json, field, {.max_bytes = kMaxJwksBytes});
  const JsonObject document(parsed, field);
  if (!document.has("keys")) throw InvalidInput(field + ".keys", "is missing");
  const std::vector<JsonObject> objects = document.objects_or_empty("keys");
  if (objects.size() > kMaxJwksKeys) throw InvalidInput(field + ".keys", "too many keys");
  std::vector<Jwk> keys;
  for (const JsonObject& object : objects) {
    // RFC 7517, section 5: keys that are not understood are to be ignored.
    if (algorithm_of(object)) keys.push_back(Jwk::parse(object.raw().dump(), object.path()));
  }
  return keys;
}

std::string rsa_jwk_member(const EVP_PKEY& rsa, const char* parameter) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(&rsa, parameter, &number) != 1) {
    throw base::Error("reading an RSA key: " + base::openssl_error());
  }
  const std::unique_ptr<BIGNUM, base::FreeWith<BN_clear_free>> owned(number);
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, bytes.data());
  return base::base64url_encode(bytes);
}

Json public_jwk(const EVP_PKEY& rsa) {
  if (EVP_PKEY_get_base_id(&rsa) != EVP_PKEY_RSA) throw base::Error("only RSA keys sign tokens here");
  Json key = {{"kty", "RSA"},
              {"n", rsa_jwk_member(rsa, OSSL_PKEY_PARAM_RSA_N)},
              {"e", rsa_jwk_member(rsa, OSSL_PKEY_PARAM_RSA_E)},
              {"alg", kRs256},
              {"use", "sig"}};
  key["kid"] = rsa_thumbprint(key);
  return key;
}

Bytes sign_rs256(const EVP_PKEY& rsa, ByteView bytes) {
  auto* key = const_cast<EVP_PKEY*>(&rsa);  // NOLINT(cppcoreguidelines-pro-type-const-cast): it is counted, not changed
  const base::EvpMdContextPtr context(EVP_MD_CTX_new());
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t size = signature.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, bytes.data(), bytes.size()) != 1) {
    throw base::Error("signing: " + base::openssl_error());
  }
  signature.resize(size);
  return signature;
}

std::string sign_jwt(const SignRs256& sign, Json header, const Json& claims) {
  header["alg"] = kRs256;
  header["typ"] = "JWT";
  std::string jws = base::base64url_encode(base::view_of(header.dump()));
  jws += '.';
  jws += base::base64url_encode(base::view_of(claims.dump()));
  const Bytes signature = sign(base::view_of(jws));
  jws += '.';
  jws += base::base64url_encode(signature);
  return jws;
}

Json verify_jwt(std::string_view jwt, const std::vector<Jwk>& keys) {
  const CompactJws parts = take_apart(jwt);
  const JsonObject header(parts.header, std::string(kToken) + ".header");
  const std::string algorithm = header.string("alg");
  if (algorithm != kRs256 && algorithm != kEs256) {
    throw InvalidInput(kToken, "is signed with " + algorithm + " instead of RS256 or ES256");
  }
  const std::string key_id = header.string("kid");
  const Jwk* signer = nullptr;
  for (const Jwk& key : keys) {
    // The algorithm is the key's, not the token's choice.
    if (key.key_id() == key_id && key.impl_->algorithm == algorithm) signer = &key;
  }
  if (signer == nullptr) throw InvalidInput(kToken, "no key \"" + key_id + "\" for " + algorithm + " is known");
  if (algorithm == kEs256 && parts.signature.size() != kEs256SignatureSize) {
    throw InvalidInput(kToken, "an ES256 signature is 64 bytes long");
  }
  cjose_err error{};
  const JwsPtr jws(cjose_jws_import(jwt.data(), jwt.size(), &error));
  if (!jws || !cjose_jws_verify(jws.get(), signer->impl_->key.get(), &error)) {
    throw InvalidInput(kToken, "the signature does not verify");
  }
  return parse_claims(parts.payload);
}

UnverifiedJwt read_unverified_jwt(std::string_view jwt) {
  CompactJws parts = take_apart(jwt);
  Json claims = parse_claims(parts.payload);
  return {std::move(parts.header), std::move(claims)};
}

}  // namespace evidence
