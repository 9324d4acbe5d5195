#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/bytes.h"
#include "base/free_with.h"

namespace base {

using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;
using EvpPkeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using EvpPkeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using EvpMdContextPtr = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using BignumPtr = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;
using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;

/// The oldest error of OpenSSL's queue as text; empties the queue.
std::string openssl_error();

/// Exactly one DER certificate that fills `der`; throws InvalidInput(`field`).
X509Ptr parse_certificate(ByteView der, const std::string& field);
/// Every certificate of a PEM file, at least one; throws InvalidInput(`field`).
std::vector<X509Ptr> parse_pem_certificates(std::string_view pem, const std::string& field);
Bytes certificate_der(const X509& certificate);
/// Subject name, one line, for people.
std::string certificate_subject(const X509& certificate);
/// Its subject's common name; empty when there is none.
std::string certificate_common_name(const X509& certificate);
/// Host names and addresses that the certificate is for (RFC 6125), some of them if there are many; for people. Its
/// subject when it names none.
std::string certificate_names(const X509& certificate);

Bytes random_bytes(std::size_t count);

/// SHA-256 of a stream of bytes.
class Sha256 {
 public:
  Sha256();
  void update(ByteView bytes);
  /// Ends the stream; nothing may be added after it.
  Bytes finish();

 private:
  EvpMdContextPtr context_;
};

}  // namespace base
