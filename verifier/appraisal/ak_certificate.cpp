#include "verifier/appraisal/ak_certificate.h"

#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/x509_vfy.h>

#include "base/encoding.h"
#include "base/error.h"

namespace verifier {
namespace {

using base::InvalidInput;

constexpr const char* kLeaf = "AK certificate";
constexpr const char* kChain = "AK certificate chain";
constexpr int kMaxDepth = 8;
constexpr int kAuthLevel = 2;  // RSA 2048 and SHA-256 at least

struct StackDeleter {
  void operator()(STACK_OF(X509) * stack) const noexcept { sk_X509_pop_free(stack, X509_free); }
};
using StackPtr = std::unique_ptr<STACK_OF(X509), StackDeleter>;
using ContextPtr = std::unique_ptr<X509_STORE_CTX, base::FreeWith<X509_STORE_CTX_free>>;

base::X509Ptr parse(base::ByteView der, const char* field) {
  if (der.size() > kMaxCertificateBytes) {
    throw InvalidInput(field, "is longer than " + std::to_string(kMaxCertificateBytes) + " bytes");
  }
  return base::parse_certificate(der, field);
}

StackPtr parse_intermediates(const std::vector<base::Bytes>& intermediates) {
  if (intermediates.size() > kMaxIntermediates) throw InvalidInput(kChain, "has too many certificates");
  StackPtr stack(sk_X509_new_null());
  if (!stack) throw std::bad_alloc();
  for (const base::Bytes& der : intermediates) {
    base::X509Ptr certificate = parse(der, kChain);
    if (sk_X509_push(stack.get(), certificate.get()) <= 0) throw std::bad_alloc();
    static_cast<void>(certificate.release());  // the stack's now
  }
  return stack;
}

}  // namespace

std::string public_key_sha256(const X509& certificate) {
  unsigned char* encoded = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &encoded);
  if (length < 0) throw base::Error("encoding a public key: " + base::openssl_error());
  base::Sha256 hash;
  hash.update({encoded, static_cast<std::size_t>(length)});
  OPENSSL_free(encoded);
  return base::hex_encode(hash.finish());
}

base::X509Ptr parse_ak_certificate(base::ByteView der) { return parse(der, kLeaf); }

TrustAnchors::TrustAnchors(const std::vector<TrustAnchor>& anchors) : store_(X509_STORE_new()) {
  if (!store_) throw std::bad_alloc();
  if (anchors.empty()) throw base::Error("no attestation root is configured");
  for (const TrustAnchor& anchor : anchors) {
    if (X509_STORE_add_cert(store_.get(), anchor.certificate.get()) != 1) {
      throw base::Error("adding an attestation root: " + base::openssl_error());
    }
    const auto [known, is_new] = platforms_.try_emplace(public_key_sha256(*anchor.certificate), anchor.platform);
    if (!is_new && known->second != anchor.platform) {
      throw base::Error("attestation root " + base::certificate_subject(*anchor.certificate) +
                        ": its key stands for another platform already");
    }
  }
}

const Platform& TrustAnchors::verify(const X509& leaf, const std::vector<base::Bytes>& intermediates,
                                     base::WallTime now) const {
  // OpenSSL caches what it reads in a certificate, behind a lock of its own, hence its signatures without const.
  X509* certificate = const_cast<X509*>(&leaf);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  const StackPtr untrusted = parse_intermediates(intermediates);
  const ContextPtr context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), store_.get(), certificate, untrusted.get()) != 1) {
    throw std::bad_alloc();
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(base::to_unix_seconds(now)));
  X509_VERIFY_PARAM_set_depth(parameters, kMaxDepth);
  X509_VERIFY_PARAM_set_auth_level(parameters, kAuthLevel);
  // OpenSSL counts a critical subject alternative name among the extensions it handles: it names the machine in
  // Google's certificates and binds nobody here.
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  if (X509_verify_cert(context.get()) != 1) {
    const int code = X509_STORE_CTX_get_error(context.get());
    const int depth = X509_STORE_CTX_get_error_depth(context.get());
    base::openssl_error();
    throw InvalidInput(kLeaf, std::string(X509_verify_cert_error_string(code)) +
                                  (depth > 0 ? " (issuer number " + std::to_string(depth) + ")" : ""));
  }
  // Absent key usage reads as all bits set.
  if ((X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) == 0) {
    throw InvalidInput(kLeaf, "its key is not for signatures");
  }
  return platform_of(context.get());
}

const Platform& TrustAnchors::platform_of(X509_STORE_CTX* verified) const {
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(verified);
  for (int i = sk_X509_num(chain) - 1; i >= 0; --i) {
    const auto found = platforms_.find(public_key_sha256(*sk_X509_value(chain, i)));
    if (found != platforms_.end()) return found->second;
  }
  throw InvalidInput(kLeaf, "its chain ends at no attestation root");
}

}  // namespace verifier
