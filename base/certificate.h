#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/openssl.h"

namespace base {

struct Validity {
  WallTime not_before;
  WallTime not_after;
};

Validity validity_of(const X509& certificate);

/// An X.509 certificate, version 3 (RFC 5280), in the making.
class CertificateDraft {
 public:
  /// Of `key`, with a random serial number. Without an `issuer` it is its own.
  CertificateDraft(EVP_PKEY& key, const std::string& common_name, const X509* issuer, const Validity& validity);

  /// `value` in the words of OpenSSL's configuration files (x509v3_config), such as "critical,CA:TRUE".
  void add_extension(int nid, const char* value);
  /// Not critical, of any content.
  void add_extension(const char* oid, ByteView der);

  /// Signs with SHA-256.
  X509Ptr sign(EVP_PKEY& issuer_key) &&;

 private:
  X509Ptr certificate_;
  const X509* issuer_;
};

std::string certificate_pem(const X509& certificate);
/// PKCS #8, without a password: a secret.
std::string private_key_pem(const EVP_PKEY& key);
/// A private key in PEM without a password; throws InvalidInput(`field`).
EvpPkeyPtr parse_private_key(std::string_view pem, const std::string& field);
/// Whether the certificate is of this key.
bool is_key_of(const EVP_PKEY& key, const X509& certificate);

}  // namespace base
