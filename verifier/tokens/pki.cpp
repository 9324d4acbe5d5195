#include "verifier/tokens/pki.h"

#include <algorithm>
#include <utility>

#include <sys/types.h>

#include "base/error.h"
#include "base/file.h"
#include "verifier/tokens/secret_file.h"

namespace verifier {
namespace {

constexpr const char* kRootFile = "root.pem";
constexpr const char* kRootKeyFile = "root-key.pem";
constexpr const char* kIntermediateFile = "intermediate.pem";
constexpr const char* kIntermediateKeyFile = "intermediate-key.pem";
constexpr unsigned kRootKeyBits = 4096;
constexpr unsigned kIntermediateKeyBits = 3072;
constexpr std::size_t kMaxPkiNameBytes = 40;
constexpr std::chrono::hours kPkiClockTolerance{1};
constexpr std::size_t kMaxPkiFileBytes = std::size_t{64} << 10U;
constexpr mode_t kPkiFolderMode = 0700;
constexpr mode_t kPkiCertificateMode = 0644;
constexpr mode_t kPkiKeyMode = 0600;

base::EvpPkeyPtr generate_rsa(unsigned bits) {
  base::EvpPkeyPtr key(EVP_RSA_gen(bits));
  if (!key) throw base::Error("generating an RSA key: " + base::openssl_error());
  return key;
}

base::X509Ptr read_certificate(const std::filesystem::path& path) {
  auto certificates = base::parse_pem_certificates(base::read_text_file(path, kMaxPkiFileBytes), path.string());
  if (certificates.size() != 1) throw base::Error(path.string() + " holds more than one certificate");
  return std::move(certificates.front());
}

base::EvpPkeyPtr read_key_of(const X509& certificate, const std::filesystem::path& path) {
  expect_secret(path);
  base::EvpPkeyPtr key = base::parse_private_key(base::read_text_file(path, kMaxPkiFileBytes), path.string());
  if (!base::is_key_of(*key, certificate)) throw base::Error(path.string() + " is not the key of its certificate");
  return key;
}

void expect_signed_by(const X509& certificate, const X509& issuer, const std::filesystem::path& path) {
  auto* mutable_certificate = const_cast<X509*>(&certificate);  // NOLINT: OpenSSL caches what it has read
  auto* mutable_issuer = const_cast<X509*>(&issuer);            // NOLINT
  const bool fits = X509_check_issued(mutable_issuer, mutable_certificate) == X509_V_OK &&
                    X509_verify(mutable_certificate, X509_get0_pubkey(&issuer)) == 1;
  if (fits) return;
  base::openssl_error();
  throw base::Error(path.string() + " was not signed by the root beside it");
}

void expect_valid(const X509& certificate, base::WallTime now, const std::filesystem::path& path) {
  const base::Validity validity = base::validity_of(certificate);
  if (validity.not_before > now) {
    throw base::Error(path.string() + " is not valid before " + base::to_rfc3339(validity.not_before));
  }
  if (validity.not_after <= now) {
    throw base::Error(path.string() + " has expired at " + base::to_rfc3339(validity.not_after));
  }
}

void write_certificate(const base::FileDescriptor& directory, const char* name, const X509& certificate) {
  base::replace_file(directory, name, base::view_of(base::certificate_pem(certificate)), kPkiCertificateMode);
}

void write_key(const base::FileDescriptor& directory, const char* name, const EVP_PKEY& key) {
  base::replace_file(directory, name, base::view_of(base::private_key_pem(key)), kPkiKeyMode);
}

}  // namespace

void make_pki_root(const std::filesystem::path& root_folder, const std::string& name, base::WallTime now) {
  // A common name has 64 characters at the most (RFC 5280, ub-common-name), and what is added takes some.
  if (name.empty() || name.size() > kMaxPkiNameBytes) {
    throw base::InvalidInput("name", "has not 1 to " + std::to_string(kMaxPkiNameBytes) + " bytes");
  }
  const base::FileDescriptor directory = base::open_private_directory(root_folder, kPkiFolderMode);
  for (const char* file : {kRootFile, kRootKeyFile}) {
    if (std::filesystem::exists(root_folder / file)) {
      throw base::Error((root_folder / file).string() + " is there already");
    }
  }
  const base::EvpPkeyPtr key = generate_rsa(kRootKeyBits);
  base::CertificateDraft root(*key, name + " Root CA", nullptr, {now - kPkiClockTolerance, now + kRootLifetime});
  root.add_extension(NID_basic_constraints, "critical,CA:TRUE,pathlen:1");
  root.add_extension(NID_key_usage, "critical,keyCertSign,cRLSign");
  root.add_extension(NID_subject_key_identifier, "hash");
  write_key(directory, kRootKeyFile, *key);
  write_certificate(directory, kRootFile, *std::move(root).sign(*key));
}

PkiRoot PkiRoot::load(const std::filesystem::path& root_folder, base::WallTime now) {
  PkiRoot root;
  root.certificate = read_certificate(root_folder / kRootFile);
  root.key = read_key_of(*root.certificate, root_folder / kRootKeyFile);
  expect_valid(*root.certificate, now, root_folder / kRootFile);
  return root;
}

void make_pki_intermediate(const PkiRoot& root, const std::filesystem::path& pki_folder, base::WallTime now) {
  // The state folder may be still to be made.
  base::open_private_directory(std::filesystem::absolute(pki_folder).parent_path(), kPkiFolderMode);
  const base::FileDescriptor directory = base::open_private_directory(pki_folder, kPkiFolderMode);
  if (std::filesystem::exists(pki_folder / kRootFile) &&
      X509_cmp(read_certificate(pki_folder / kRootFile).get(), root.certificate.get()) != 0) {
    throw base::Error((pki_folder / kRootFile).string() + " is another root, which relying parties may have stored");
  }
  const base::EvpPkeyPtr key = generate_rsa(kIntermediateKeyBits);
  const base::WallTime end = std::min(now + kIntermediateLifetime, base::validity_of(*root.certificate).not_after);
  base::CertificateDraft intermediate(*key, base::certificate_common_name(*root.certificate) + " Intermediate",
                                      root.certificate.get(), {now - kPkiClockTolerance, end});
  intermediate.add_extension(NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  intermediate.add_extension(NID_key_usage, "critical,keyCertSign,cRLSign");
  intermediate.add_extension(NID_subject_key_identifier, "hash");
  intermediate.add_extension(NID_authority_key_identifier, "keyid:always");
  const base::X509Ptr certificate = std::move(intermediate).sign(*root.key);
  write_certificate(directory, kRootFile, *root.certificate);
  // Key and certificate are two files: a service that reads between the two writes refuses the pair, and keeps what it
  // has.
  write_key(directory, kIntermediateKeyFile, *key);
  write_certificate(directory, kIntermediateFile, *certificate);
}

PkiAuthority PkiAuthority::load(const std::filesystem::path& pki_folder, base::WallTime now) {
  PkiAuthority authority;
  authority.root = read_certificate(pki_folder / kRootFile);
  authority.intermediate = read_certificate(pki_folder / kIntermediateFile);
  authority.key = read_key_of(*authority.intermediate, pki_folder / kIntermediateKeyFile);
  expect_signed_by(*authority.root, *authority.root, pki_folder / kRootFile);
  expect_signed_by(*authority.intermediate, *authority.root, pki_folder / kIntermediateFile);
  expect_valid(*authority.root, now, pki_folder / kRootFile);
  expect_valid(*authority.intermediate, now, pki_folder / kIntermediateFile);
  for (const X509* certificate : {authority.root.get(), authority.intermediate.get()}) {
    if (EVP_PKEY_get_base_id(X509_get0_pubkey(certificate)) != EVP_PKEY_RSA) {
      throw base::Error(pki_folder.string() + ": relying parties expect RSA keys");
    }
  }
  return authority;
}

}  // namespace verifier
