#include "verifier/tokens/signing_key.h"

#include <array>
#include <new>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "base/error.h"
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
constexpr std::array kRsaMembers = {
    RsaMember{"n", OSSL_PKEY_PARAM_RSA_N},          RsaMember{"e", OSSL_PKEY_PARAM_RSA_E},
    RsaMember{"d", OSSL_PKEY_PARAM_RSA_D},          RsaMember{"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
    RsaMember{"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    RsaMember{"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
    RsaMember{"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, RsaMember{"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
};

using ParamBuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, base::FreeWith<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, base::FreeWith<OSSL_PARAM_free>>;
using SecretNumberPtr = std::unique_ptr<BIGNUM, base::FreeWith<BN_clear_free>>;

base::EvpPkeyPtr rsa_key_of(const JsonObject& jwk) {
  std::vector<SecretNumberPtr> numbers;
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  if (!builder) throw std::bad_alloc();
  for (const auto& [member, parameter] : kRsaMembers) {
    const base::Bytes bytes = jwk.bytes(member);
    numbers.emplace_back(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), BN_secure_new()));
    if (!numbers.back() || OSSL_PARAM_BLD_push_BN(builder.get(), parameter, numbers.back().get()) != 1) {
      throw std::bad_alloc();
    }
  }
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder.get()));
  const base::EvpPkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()) != 1) {
    throw InvalidInput(jwk.path(), "is no RSA key: " + base::openssl_error());
  }
  return base::EvpPkeyPtr(key);
}

/// Whether the parts belong together; OpenSSL's own check of the primes takes seconds.
bool verifies_itself(const SigningKey& key) {
  const base::Bytes message = {'c', 's'};
  const base::Bytes signature = key.sign(message);
  const base::EvpMdContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY* own = const_cast<EVP_PKEY*>(&key.key());  // NOLINT: OpenSSL counts references
  const bool good =
      context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, own) == 1 &&
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
  if (!good) base::openssl_error();
  return good;
}

}  // namespace

SigningKey::SigningKey(std::shared_ptr<EVP_PKEY> key, std::string key_id)
    : key_(std::move(key)), key_id_(std::move(key_id)) {}

SigningKey SigningKey::generate() {
  base::EvpPkeyPtr key(EVP_RSA_gen(kNewKeyBits));
  if (!key) throw base::Error("generating an RSA key: " + base::openssl_error());
  std::string key_id = evidence::public_jwk(*key).at("kid").get<std::string>();
  return {std::move(key), std::move(key_id)};
}

SigningKey SigningKey::parse(const JsonObject& jwk) {
  if (jwk.string("kty") != "RSA") throw InvalidInput(jwk.path() + ".kty", "is not RSA");
  std::string key_id = jwk.string("kid");
  if (key_id.empty()) throw InvalidInput(jwk.path() + ".kid", "is empty");
  base::EvpPkeyPtr key = rsa_key_of(jwk);
  const int bits = EVP_PKEY_get_bits(key.get());
  if (bits < kMinKeyBits || bits > kMaxKeyBits) {
    throw InvalidInput(jwk.path(), "an RSA key of " + std::to_string(bits) + " bits");
  }
  SigningKey parsed(std::move(key), std::move(key_id));
  if (!verifies_itself(parsed)) throw InvalidInput(jwk.path(), "its private part does not fit its public part");
  return parsed;
}

Json SigningKey::public_jwk() const {
  Json jwk = evidence::public_jwk(*key_);
  jwk["kid"] = key_id_;
  return jwk;
}

Json SigningKey::private_jwk() const {
  Json jwk = public_jwk();
  for (const auto& [member, parameter] : kRsaMembers) jwk[member] = evidence::rsa_jwk_member(*key_, parameter);
  return jwk;
}

base::Bytes SigningKey::sign(base::ByteView bytes) const { return evidence::sign_rs256(*key_, bytes); }

}  // namespace verifier
