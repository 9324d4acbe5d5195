#include "vtpm/certificate_authority.h"

#include <chrono>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"

namespace vtpm {
namespace {

using Asn1ObjectPtr = std::unique_ptr<ASN1_OBJECT, base::FreeWith<ASN1_OBJECT_free>>;
using Asn1OctetsPtr = std::unique_ptr<ASN1_OCTET_STRING, base::FreeWith<ASN1_OCTET_STRING_free>>;
using base::BignumPtr;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, base::FreeWith<X509_EXTENSION_free>>;

constexpr const char* kCertificateFile = "ca.pem";
constexpr const char* kKeyFile = "ca-key.pem";
constexpr const char* kAuthorityName = "Attestation key authority";
constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kCertificateMode = 0644;
constexpr mode_t kKeyMode = 0600;
constexpr std::size_t kMaxPemBytes = std::size_t{64} << 10U;
constexpr std::size_t kSerialBytes = 16;
constexpr std::chrono::hours kAuthorityLifetime{24 * 365 * 20};
constexpr std::chrono::hours kClockTolerance{1};

void check(bool done, std::string_view what) {
  if (!done) throw base::Error(std::string(what) + ": " + base::openssl_error());
}

void set_random_serial(X509& certificate) {
  base::Bytes serial = base::random_bytes(kSerialBytes);
  serial.front() = static_cast<std::uint8_t>((serial.front() & 0x3fU) | 0x40U);  // positive, and always as long
  const BignumPtr number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  check(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr, "making a serial");
}

void add_extension(X509& certificate, X509& issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  check(extension && X509_add_ext(&certificate, extension.get(), -1) == 1, "adding a certificate extension");
}

void add_identity(X509& certificate, const evidence::InstanceIdentity& identity) {
  const base::Bytes der = evidence::encode_instance_identity(identity);
  const Asn1ObjectPtr oid(OBJ_txt2obj(evidence::kInstanceIdentityOid, 1));
  const Asn1OctetsPtr value(ASN1_OCTET_STRING_new());
  check(value && ASN1_OCTET_STRING_set(value.get(), der.data(), static_cast<int>(der.size())) == 1, "copying bytes");
  const ExtensionPtr extension(X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), 0, value.get()));
  check(extension && X509_add_ext(&certificate, extension.get(), -1) == 1, "adding the instance identity");
}

/// A certificate that lacks its extensions and its signature.
base::X509Ptr draft(EVP_PKEY& key, const std::string& common_name, const X509_NAME* issuer, const Validity& validity) {
  base::X509Ptr certificate(X509_new());
  if (!certificate) throw std::bad_alloc();
  check(X509_set_version(certificate.get(), X509_VERSION_3) == 1, "making a certificate");
  set_random_serial(*certificate);
  const auto not_before = static_cast<time_t>(base::to_unix_seconds(validity.not_before));
  const auto not_after = static_cast<time_t>(base::to_unix_seconds(validity.not_after));
  check(ASN1_TIME_set(X509_getm_notBefore(certificate.get()), not_before) != nullptr &&
            ASN1_TIME_set(X509_getm_notAfter(certificate.get()), not_after) != nullptr,
        "setting the validity");
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  check(X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(common_name.data()),
                                   static_cast<int>(common_name.size()), -1, 0) == 1,
        "setting the subject \"" + common_name + "\"");
  check(X509_set_issuer_name(certificate.get(), issuer != nullptr ? issuer : subject) == 1, "setting the issuer");
  check(X509_set_pubkey(certificate.get(), &key) == 1, "setting the public key");
  return certificate;
}

base::X509Ptr make_certificate(EVP_PKEY& key) {
  const base::WallTime now = base::Clock::system().wall();
  base::X509Ptr root = draft(key, kAuthorityName, nullptr, {now - kClockTolerance, now + kAuthorityLifetime});
  add_extension(*root, *root, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(*root, *root, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(*root, *root, NID_subject_key_identifier, "hash");
  check(X509_sign(root.get(), &key, EVP_sha256()) > 0, "signing the authority's certificate");
  return root;
}

base::ByteView content_of(const base::BioPtr& bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &data);
  return base::view_of({data, static_cast<std::size_t>(length)});
}

void store(const std::filesystem::path& path, EVP_PKEY& key, X509& certificate) {
  const base::FileDescriptor directory = base::open_private_directory(path, kDirectoryMode);
  const base::BioPtr key_pem(BIO_new(BIO_s_secmem()));
  const base::BioPtr certificate_pem(BIO_new(BIO_s_mem()));
  check(key_pem && PEM_write_bio_PrivateKey(key_pem.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "encoding the authority's key");
  check(certificate_pem && PEM_write_bio_X509(certificate_pem.get(), &certificate) == 1,
        "encoding the authority's certificate");
  base::replace_file(directory, kKeyFile, content_of(key_pem), kKeyMode);
  base::replace_file(directory, kCertificateFile, content_of(certificate_pem), kCertificateMode);
}

base::EvpPkeyPtr load_key(const std::filesystem::path& path) {
  const std::string pem = base::read_text_file(path, kMaxPemBytes);
  const base::BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  base::EvpPkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  check(key != nullptr, path.string() + " is not a private key in PEM");
  return key;
}

}  // namespace

CertificateAuthority::CertificateAuthority(base::EvpPkeyPtr key, base::X509Ptr certificate)
    : key_(std::move(key)), certificate_(std::move(certificate)) {}

CertificateAuthority CertificateAuthority::open(const std::filesystem::path& directory) {
  const std::filesystem::path key_path = directory / kKeyFile;
  const std::filesystem::path certificate_path = directory / kCertificateFile;
  if (!std::filesystem::exists(key_path) && !std::filesystem::exists(certificate_path)) {
    base::EvpPkeyPtr key(EVP_EC_gen("P-256"));
    check(key != nullptr, "generating the authority's key");
    base::X509Ptr certificate = make_certificate(*key);
    store(directory, *key, *certificate);
    return {std::move(key), std::move(certificate)};
  }
  base::EvpPkeyPtr key = load_key(key_path);
  auto certificates =
      base::parse_pem_certificates(base::read_text_file(certificate_path, kMaxPemBytes), certificate_path.string());
  if (X509_check_private_key(certificates.front().get(), key.get()) != 1) {
    base::openssl_error();
    throw base::Error(key_path.string() + " is not the key of " + certificate_path.string());
  }
  return {std::move(key), std::move(certificates.front())};
}

base::X509Ptr CertificateAuthority::certify(EVP_PKEY& key, const evidence::InstanceIdentity& identity,
                                            const Validity& validity) const {
  base::X509Ptr leaf = draft(key, identity.instance_name, X509_get_subject_name(certificate_.get()), validity);
  add_extension(*leaf, *certificate_, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(*leaf, *certificate_, NID_key_usage, "critical,digitalSignature");
  add_extension(*leaf, *certificate_, NID_subject_key_identifier, "hash");
  add_extension(*leaf, *certificate_, NID_authority_key_identifier, "keyid:always");
  add_identity(*leaf, identity);
  check(X509_sign(leaf.get(), key_.get(), EVP_sha256()) > 0, "signing the attestation key certificate");
  return leaf;
}

}  // namespace vtpm
