#include "base/certificate.h"

#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/pem.h>

#include "base/error.h"

namespace base {
namespace {

using Asn1ObjectPtr = std::unique_ptr<ASN1_OBJECT, FreeWith<ASN1_OBJECT_free>>;
using Asn1OctetsPtr = std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;

constexpr std::size_t kSerialBytes = 16;

void check(bool done, std::string_view what) {
  if (!done) throw Error(std::string(what) + ": " + openssl_error());
}

void set_random_serial(X509& certificate) {
  Bytes serial = random_bytes(kSerialBytes);
  serial.front() = static_cast<std::uint8_t>((serial.front() & 0x3fU) | 0x40U);  // positive, and always as long
  const BignumPtr number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  check(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr, "making a serial");
}

void set_validity(X509& certificate, const Validity& validity) {
  const auto not_before = static_cast<time_t>(to_unix_seconds(validity.not_before));
  const auto not_after = static_cast<time_t>(to_unix_seconds(validity.not_after));
  check(ASN1_TIME_set(X509_getm_notBefore(&certificate), not_before) != nullptr &&
            ASN1_TIME_set(X509_getm_notAfter(&certificate), not_after) != nullptr,
        "setting the validity");
}

WallTime time_of(const ASN1_TIME* time) {
  const std::unique_ptr<ASN1_TIME, FreeWith<ASN1_TIME_free>> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  check(epoch && ASN1_TIME_diff(&days, &seconds, epoch.get(), time) == 1, "reading a certificate's validity");
  constexpr std::int64_t kSecondsPerDay = 24 * 3600;
  return from_unix_seconds(days * kSecondsPerDay + seconds);
}

std::string text_of(const BioPtr& bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(length)};
}

/// A key with a password is none: there is nobody to ask.
int no_password(char*, int, int, void*) { return 0; }

}  // namespace

Validity validity_of(const X509& certificate) {
  return {time_of(X509_get0_notBefore(&certificate)), time_of(X509_get0_notAfter(&certificate))};
}

CertificateDraft::CertificateDraft(EVP_PKEY& key, const std::string& common_name, const X509* issuer,
                                   const Validity& validity)
    : certificate_(X509_new()), issuer_(issuer != nullptr ? issuer : certificate_.get()) {
  if (!certificate_) throw std::bad_alloc();
  check(X509_set_version(certificate_.get(), X509_VERSION_3) == 1, "making a certificate");
  set_random_serial(*certificate_);
  set_validity(*certificate_, validity);
  X509_NAME* subject = X509_get_subject_name(certificate_.get());
  check(X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(common_name.data()),
                                   static_cast<int>(common_name.size()), -1, 0) == 1,
        "setting the subject \"" + common_name + "\"");
  check(X509_set_issuer_name(certificate_.get(), X509_get_subject_name(issuer_)) == 1, "setting the issuer");
  check(X509_set_pubkey(certificate_.get(), &key) == 1, "setting the public key");
}

void CertificateDraft::add_extension(int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, const_cast<X509*>(issuer_), certificate_.get(), nullptr, nullptr, 0);  // NOLINT: only read
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  check(extension && X509_add_ext(certificate_.get(), extension.get(), -1) == 1, "adding a certificate extension");
}

void CertificateDraft::add_extension(const char* oid, ByteView der) {
  const Asn1ObjectPtr object(OBJ_txt2obj(oid, 1));
  const Asn1OctetsPtr value(ASN1_OCTET_STRING_new());
  check(value && ASN1_OCTET_STRING_set(value.get(), der.data(), static_cast<int>(der.size())) == 1, "copying bytes");
  const ExtensionPtr extension(X509_EXTENSION_create_by_OBJ(nullptr, object.get(), 0, value.get()));
  check(extension && X509_add_ext(certificate_.get(), extension.get(), -1) == 1, "adding a certificate extension");
}

X509Ptr CertificateDraft::sign(EVP_PKEY& issuer_key) && {
  check(X509_sign(certificate_.get(), &issuer_key, EVP_sha256()) > 0, "signing a certificate");
  return std::move(certificate_);
}

std::string certificate_pem(const X509& certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  check(bio && PEM_write_bio_X509(bio.get(), &certificate) == 1, "encoding a certificate");
  return text_of(bio);
}

std::string private_key_pem(const EVP_PKEY& key) {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  check(bio && PEM_write_bio_PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "encoding a private key");
  return text_of(bio);
}

EvpPkeyPtr parse_private_key(std::string_view pem, const std::string& field) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  EvpPkeyPtr key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr) : nullptr);
  if (!key) throw InvalidInput(field, "is no private key in PEM without a password: " + openssl_error());
  return key;
}

bool is_key_of(const EVP_PKEY& key, const X509& certificate) {
  const bool fits = X509_check_private_key(&certificate, &key) == 1;
  if (!fits) openssl_error();
  return fits;
}

}  // namespace base
