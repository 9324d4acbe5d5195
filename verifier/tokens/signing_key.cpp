#include "verifier/tokens/signing_key.h"

#include <array>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "base/encoding.h"
#include "base/error.h"
#include "base/log.h"
#include "base/openssl.h"
#include "evidence/jose.h"

namespace verifier {
namespace {

using base::InvalidInput;
using base::Json;
using base::JsonObject;

constexpr unsigned kNewKeyBits = 2048;
constexpr int kMinKeyBits = 2048;
constexpr int kMaxKeyBits = 8192;

/// A member of a JSON Web Key and OpenSSL's name of the number.
struct RsaMember {
  const char* member;
  const char* parameter;
};
constexpr std::size_t kPublicRsaMembers = 2;  // which come first
constexpr std::array kRsaMembers = {
    RsaMember{"n", OSSL_PKEY_PARAM_RSA_N},          RsaMember{"e", OSSL_PKEY_PARAM_RSA_E},
    RsaMember{"d", OSSL_PKEY_PARAM_RSA_D},          RsaMember{"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
    RsaMember{"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    RsaMember{"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
    RsaMember{"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, RsaMember{"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
};

using ParamBuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, base::FreeWith<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, base::FreeWith<OSSL_PARAM_free>>;
using SecretNumberPtr = std::unique_ptr<BIGNUM, base::FreeWith<BN_clear_free>>;

struct RsaNumber {
  const char* parameter;
  base::Bytes bytes;  ///< big-endian
};

/// `what` is for errors: a key that comes of other numbers is none.
base::EvpPkeyPtr rsa_key_of(const std::vector<RsaNumber>& rsa_numbers, int selection, const std::string& what) {
  std::vector<SecretNumberPtr> numbers;
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  if (!builder) throw std::bad_alloc();
  for (const auto& [parameter, bytes] : rsa_numbers) {
    numbers.emplace_back(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), BN_secure_new()));
    if (!numbers.back() || OSSL_PARAM_BLD_push_BN(builder.get(), parameter, numbers.back().get()) != 1) {
      throw std::bad_alloc();
    }
  }
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder.get()));
  const base::EvpPkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* raw_key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &raw_key, selection, params.get()) != 1) {
    throw InvalidInput(what, "is no RSA key: " + base::openssl_error());
  }
  base::EvpPkeyPtr key(raw_key);
  const int bits = EVP_PKEY_get_bits(key.get());
  if (bits < kMinKeyBits || bits > kMaxKeyBits) {
    throw InvalidInput(what, "an RSA key of " + std::to_string(bits) + " bits");
  }
  return key;
}

base::EvpPkeyPtr parse_rsa_key(const JsonObject& jwk, int selection) {
  std::vector<RsaNumber> numbers;
  const std::size_t count = selection == EVP_PKEY_PUBLIC_KEY ? kPublicRsaMembers : kRsaMembers.size();
  for (const auto& [member, parameter] : std::span(kRsaMembers).first(count)) {
    numbers.push_back({parameter, jwk.bytes(member)});
  }
  return rsa_key_of(numbers, selection, jwk.path());
}

void destroy_on(const Pkcs11Token& token, base::ByteView id) {
  try {
    token.destroy(id);
  } catch (const base::Error& error) {
    base::log::warning("a key that is used no longer stays on its token",
                       {{"pkcs11_id", base::hex_encode(id)}, {"error", error.what()}});
  }
}

std::string thumbprint_of(const EVP_PKEY& key) { return evidence::public_jwk(key).at("kid").get<std::string>(); }

}  // namespace

base::Bytes parse_pkcs11_id(std::string_view text, std::string_view field) {
  base::Bytes id = base::hex_decode(text, field);
  if (id.empty()) throw InvalidInput(field, "is empty");
  return id;
}

SigningKeyUnavailable::SigningKeyUnavailable(const base::Error& cause) : base::Error(cause.what()) {
  set_transience(base::Transience::kMayPass);
}

SigningKey::SigningKey(std::shared_ptr<EVP_PKEY> key, std::string key_id, std::shared_ptr<const OnToken> on_token)
    : key_(std::move(key)), key_id_(std::move(key_id)), on_token_(std::move(on_token)) {}

SigningKey SigningKey::generate() {
  base::EvpPkeyPtr key(EVP_RSA_gen(kNewKeyBits));
  if (!key) throw base::Error("generating an RSA key: " + base::openssl_error());
  std::string key_id = thumbprint_of(*key);
  return {std::move(key), std::move(key_id)};
}

SigningKey SigningKey::from_token(OnToken on_token) {
  const auto [modulus, exponent] = on_token.token->public_key(on_token.id);
  base::EvpPkeyPtr key = rsa_key_of({{OSSL_PKEY_PARAM_RSA_N, modulus}, {OSSL_PKEY_PARAM_RSA_E, exponent}},
                                    EVP_PKEY_PUBLIC_KEY, "the token's key");
  std::string key_id = thumbprint_of(*key);
  return {std::move(key), std::move(key_id), std::make_shared<const OnToken>(std::move(on_token))};
}

SigningKey SigningKey::generate(const Pkcs11& token) {
  const base::Bytes id = token->generate_rsa(kNewKeyBits);
  try {
    SigningKey key = from_token({.token = token, .id = id});
    key.expect_signs();
    return key;
  } catch (...) {
    destroy_on(*token, id);
    throw;
  }
}

SigningKey SigningKey::adopt(Pkcs11 token, base::Bytes pkcs11_id) {
  SigningKey key = from_token({.token = std::move(token), .id = std::move(pkcs11_id), .is_adopted = true});
  key.expect_signs();
  return key;
}

SigningKey SigningKey::parse(const JsonObject& jwk, const Pkcs11& token) {
  if (jwk.string("kty") != "RSA") throw InvalidInput(jwk.path() + ".kty", "is not RSA");
  std::string key_id = jwk.string("kid");
  if (key_id.empty()) throw InvalidInput(jwk.path() + ".kid", "is empty");
  if (const auto id = jwk.optional_string("pkcs11_id")) {
    if (!token) throw InvalidInput(jwk.path() + ".pkcs11_id", "is on a token, and no pkcs11 is configured");
    OnToken on_token{.token = token,
                     .id = parse_pkcs11_id(*id, jwk.path() + ".pkcs11_id"),
                     .is_adopted = jwk.optional_bool("pkcs11_adopted").value_or(false)};
    return {parse_rsa_key(jwk, EVP_PKEY_PUBLIC_KEY), std::move(key_id),
            std::make_shared<const OnToken>(std::move(on_token))};
  }
  SigningKey parsed(parse_rsa_key(jwk, EVP_PKEY_KEYPAIR), std::move(key_id));
  try {
    parsed.expect_signs();
  } catch (const base::Error& error) {
    throw InvalidInput(jwk.path(), error.what());
  }
  return parsed;
}

Json SigningKey::public_jwk() const {
  Json jwk = evidence::public_jwk(*key_);
  jwk["kid"] = key_id_;
  return jwk;
}

std::string SigningKey::pkcs11_id() const { return on_token_ ? base::hex_encode(on_token_->id) : std::string(); }

Json SigningKey::stored_jwk() const {
  Json jwk = public_jwk();
  if (on_token_) {
    jwk["pkcs11_id"] = pkcs11_id();
    if (on_token_->is_adopted) jwk["pkcs11_adopted"] = true;
    return jwk;
  }
  for (const auto& [member, parameter] : kRsaMembers) jwk[member] = evidence::rsa_jwk_member(*key_, parameter);
  return jwk;
}

base::Bytes SigningKey::sign(base::ByteView bytes) const {
  if (!on_token_) return evidence::sign_rs256(*key_, bytes);
  try {
    return on_token_->token->sign_rs256(on_token_->id, bytes);
  } catch (const base::Error& error) {
    if (error.may_pass()) throw SigningKeyUnavailable(error);
    throw;
  }
}

void SigningKey::expect_signs() const {
  // OpenSSL's own check of the primes takes seconds.
  const base::Bytes message = {'c', 's'};
  const base::Bytes signature = sign(message);
  const base::EvpMdContextPtr context(EVP_MD_CTX_new());
  if (context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1) {
    return;
  }
  base::openssl_error();
  throw base::Error("its private part does not fit its public part");
}

void SigningKey::destroy() const {
  if (on_token_ && !on_token_->is_adopted) destroy_on(*on_token_->token, on_token_->id);
}

}  // namespace verifier
