#include "evidence/jose.h"

#include <array>
#include <cstdlib>
#include <new>
#include <optional>
#include <utility>

#include <cjose/cjose.h>

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
constexpr std::array<std::uint8_t, 3> kRsaExponent = {0x01, 0x00, 0x01};

using JwkPtr = std::unique_ptr<cjose_jwk_t, base::FreeWith<cjose_jwk_release>>;
using JwsPtr = std::unique_ptr<cjose_jws_t, base::FreeWith<cjose_jws_release>>;
using HeaderPtr = std::unique_ptr<cjose_header_t, base::FreeWith<cjose_header_release>>;
using CTextPtr = std::unique_ptr<char, base::FreeWith<std::free>>;

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

std::string json_of(const cjose_jwk_t& key, bool with_private_part) {
  cjose_err error{};
  const CTextPtr text(cjose_jwk_to_json(&key, with_private_part, &error));
  if (!text) throw base::Error(std::string("encoding a JSON Web Key: ") + error.message);
  return text.get();
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

Jwk Jwk::generate_rsa(std::size_t bits) {
  cjose_err error{};
  JwkPtr key(cjose_jwk_create_RSA_random(bits, kRsaExponent.data(), kRsaExponent.size(), &error));
  if (!key) throw base::Error(std::string("generating an RSA key: ") + error.message);
  const std::string key_id = rsa_thumbprint(base::parse_json(json_of(*key, false), "generated key"));
  if (!cjose_jwk_set_kid(key.get(), key_id.data(), key_id.size(), &error)) {
    throw base::Error(std::string("naming a key: ") + error.message);
  }
  return Jwk(std::make_unique<Impl>(Impl{std::move(key), kRs256}));
}

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

std::string Jwk::private_json() const { return json_of(*impl_->key, true); }

Json Jwk::public_json() const {
  // Built from the public part, never by taking members away from the private one.
  Json key = base::parse_json(json_of(*impl_->key, false), "key");
  key["kid"] = key_id_;
  key["alg"] = impl_->algorithm;
  key["use"] = "sig";
  return key;
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

Json jwks_json(const std::vector<const Jwk*>& keys) {
  Json list = Json::array();
  for (const Jwk* key : keys) list.push_back(key->public_json());
  return {{"keys", std::move(list)}};
}

Json jwt_header(const Jwk& key) { return {{"kid", key.key_id()}, {"typ", "JWT"}}; }

std::string sign_jwt(const Jwk& key, const Json& header, const Json& claims) {
  if (key.impl_->algorithm != kRs256) throw base::Error("only RSA keys sign tokens here");
  cjose_err error{};
  const auto check = [&error](bool done) {
    if (!done) throw base::Error(std::string("signing a token: ") + error.message);
  };
  const HeaderPtr fields(cjose_header_new(&error));
  check(fields != nullptr);
  check(cjose_header_set(fields.get(), CJOSE_HDR_ALG, CJOSE_HDR_ALG_RS256, &error));
  for (const auto& [name, value] : header.items()) {
    // The second takes arrays and objects alone.
    check(value.is_string()
              ? cjose_header_set(fields.get(), name.c_str(), value.get_ref<const std::string&>().c_str(), &error)
              : cjose_header_set_raw(fields.get(), name.c_str(), value.dump().c_str(), &error));
  }
  const std::string payload = claims.dump();
  const ByteView bytes = base::view_of(payload);
  const JwsPtr jws(cjose_jws_sign(key.impl_->key.get(), fields.get(), bytes.data(), bytes.size(), &error));
  check(jws != nullptr);
  const char* compact = nullptr;
  check(cjose_jws_export(jws.get(), &compact, &error));
  return compact;
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
