#include "vtpm/certificate_authority.h"

#include <chrono>
#include <string>
#include <utility>

#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"

namespace vtpm {
namespace {

constexpr const char* kCertificateFile = "ca.pem";
constexpr const char* kKeyFile = "ca-key.pem";
constexpr const char* kAuthorityName = "Attestation key authority";
constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kCertificateMode = 0644;
constexpr mode_t kKeyMode = 0600;
constexpr std::size_t kMaxPemBytes = std::size_t{64} << 10U;
constexpr std::chrono::hours kAuthorityLifetime{24 * 365 * 20};
constexpr std::chrono::hours kClockTolerance{1};

base::X509Ptr make_certificate(EVP_PKEY& key) {
  const base::WallTime now = base::Clock::system().wall();
  base::CertificateDraft root(key, kAuthorityName, nullptr, {now - kClockTolerance, now + kAuthorityLifetime});
  root.add_extension(NID_basic_constraints, "critical,CA:TRUE");
  root.add_extension(NID_key_usage, "critical,keyCertSign,cRLSign");
  root.add_extension(NID_subject_key_identifier, "hash");
  return std::move(root).sign(key);
}

void store(const std::filesystem::path& path, const EVP_PKEY& key, const X509& certificate) {
  const base::FileDescriptor directory = base::open_private_directory(path, kDirectoryMode);
  base::replace_file(directory, kKeyFile, base::view_of(base::private_key_pem(key)), kKeyMode);
  base::replace_file(directory, kCertificateFile, base::view_of(base::certificate_pem(certificate)), kCertificateMode);
}

}  // namespace

CertificateAuthority::CertificateAuthority(base::EvpPkeyPtr key, base::X509Ptr certificate)
    : key_(std::move(key)), certificate_(std::move(certificate)) {}

CertificateAuthority CertificateAuthority::open(const std::filesystem::path& directory) {
  const std::filesystem::path key_path = directory / kKeyFile;
  const std::filesystem::path certificate_path = directory / kCertificateFile;
  if (!std::filesystem::exists(key_path) && !std::filesystem::exists(certificate_path)) {
    base::EvpPkeyPtr key(EVP_EC_gen("P-256"));
    if (!key) throw base::Error("generating the authority's key: " + base::openssl_error());
    base::X509Ptr certificate = make_certificate(*key);
    store(directory, *key, *certificate);
    return {std::move(key), std::move(certificate)};
  }
  base::EvpPkeyPtr key = base::parse_private_key(base::read_text_file(key_path, kMaxPemBytes), key_path.string());
  auto certificates =
      base::parse_pem_certificates(base::read_text_file(certificate_path, kMaxPemBytes), certificate_path.string());
  if (!base::is_key_of(*key, *certificates.front())) {
    throw base::Error(key_path.string() + " is not the key of " + certificate_path.string());
  }
  return {std::move(key), std::move(certificates.front())};
}

base::X509Ptr CertificateAuthority::certify(EVP_PKEY& key, const evidence::InstanceIdentity& identity,
                                            const base::Validity& validity) const {
  base::CertificateDraft leaf(key, identity.instance_name, certificate_.get(), validity);
  leaf.add_extension(NID_basic_constraints, "critical,CA:FALSE");
  leaf.add_extension(NID_key_usage, "critical,digitalSignature");
  leaf.add_extension(NID_subject_key_identifier, "hash");
  leaf.add_extension(NID_authority_key_identifier, "keyid:always");
  leaf.add_extension(evidence::kInstanceIdentityOid, evidence::encode_instance_identity(identity));
  return std::move(leaf).sign(*key_);
}

}  // namespace vtpm
