#include "evidence/pki_token.h"

#include <memory>
#include <new>
#include <string>
#include <vector>

#include <openssl/x509_vfy.h>

#include "base/certificate.h"
#include "base/encoding.h"
#include "base/error.h"
#include "evidence/jose.h"

namespace evidence {
namespace {

using base::Bytes;
using base::InvalidInput;
using base::X509Ptr;

constexpr const char* kPkiToken = "token";
constexpr std::size_t kChainLength = 3;

struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const noexcept { sk_X509_free(stack); }
};
using StackPtr = std::unique_ptr<STACK_OF(X509), FreeStack>;  // of certificates that somebody else owns
using StorePtr = std::unique_ptr<X509_STORE, base::FreeWith<X509_STORE_free>>;
using ContextPtr = std::unique_ptr<X509_STORE_CTX, base::FreeWith<X509_STORE_CTX_free>>;

std::vector<X509Ptr> certificates_of(const base::JsonObject& header) {
  const std::vector<std::string> entries = header.strings_or_empty("x5c");
  if (entries.size() != kChainLength) {
    throw InvalidInput(kPkiToken, "has " + std::to_string(entries.size()) + " certificates in x5c, and not three");
  }
  std::vector<X509Ptr> chain;
  for (const std::string& entry : entries) {
    chain.push_back(base::parse_certificate(base::base64_decode(entry, "token.header.x5c"), "token.header.x5c"));
  }
  return chain;
}

void expect_valid(const X509& certificate, base::WallTime now) {
  const base::Validity validity = base::validity_of(certificate);
  if (now >= validity.not_before && now <= validity.not_after) return;
  throw InvalidInput(kPkiToken, "its certificate " + base::certificate_subject(certificate) + " is valid from " +
                                    base::to_rfc3339(validity.not_before) + " to " +
                                    base::to_rfc3339(validity.not_after));
}

void expect_chain(const std::vector<X509Ptr>& chain, base::WallTime now) {
  const StorePtr store(X509_STORE_new());
  const StackPtr untrusted(sk_X509_new_null());
  const ContextPtr context(X509_STORE_CTX_new());
  if (!store || !untrusted || !context || X509_STORE_add_cert(store.get(), chain[2].get()) != 1 ||
      sk_X509_push(untrusted.get(), chain[1].get()) <= 0 ||
      X509_STORE_CTX_init(context.get(), store.get(), chain[0].get(), untrusted.get()) != 1) {
    throw std::bad_alloc();
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(base::to_unix_seconds(now)));
  const bool holds = X509_verify_cert(context.get()) == 1;
  const int reason = X509_STORE_CTX_get_error(context.get());
  base::openssl_error();
  if (!holds) throw InvalidInput(kPkiToken, std::string("its certificates: ") + X509_verify_cert_error_string(reason));
  if (sk_X509_num(X509_STORE_CTX_get0_chain(context.get())) != static_cast<int>(kChainLength)) {
    throw InvalidInput(kPkiToken, "its certificates are not leaf, intermediate and root");
  }
}

void expect_signature(std::string_view jwt, X509& leaf) {
  EVP_PKEY* key = X509_get0_pubkey(&leaf);
  if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA ||
      X509_get_signature_nid(&leaf) != NID_sha256WithRSAEncryption) {
    throw InvalidInput(kPkiToken, "its leaf is not of RSA with SHA-256");
  }
  const std::size_t dot = jwt.rfind('.');
  const base::ByteView is_signed = base::view_of(jwt.substr(0, dot));
  const Bytes signature = base::base64_decode(jwt.substr(dot + 1), "token.signature");
  const base::EvpMdContextPtr context(EVP_MD_CTX_new());
  if (!context || EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1) throw std::bad_alloc();
  const bool holds =
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), is_signed.data(), is_signed.size()) == 1;
  base::openssl_error();
  if (!holds) throw InvalidInput(kPkiToken, "the signature does not verify");
}

}  // namespace

base::Json verify_pki_jwt(std::string_view jwt, const X509& root, base::WallTime now) {
  UnverifiedJwt token = read_unverified_jwt(jwt);
  const base::JsonObject header(token.header, "token.header");
  if (header.string("alg") != "RS256") throw InvalidInput(kPkiToken, "is signed with " + header.string("alg"));
  const std::vector<X509Ptr> chain = certificates_of(header);
  if (base::certificate_der(*chain[2]) != base::certificate_der(root)) {
    throw InvalidInput(kPkiToken,
                       "its root is " + base::certificate_subject(*chain[2]) + ", and not the one that counts");
  }
  for (const X509Ptr& certificate : chain) expect_valid(*certificate, now);
  expect_chain(chain, now);
  expect_signature(jwt, *chain[0]);
  return std::move(token.claims);
}

}  // namespace evidence
