#include "verifier/service/startup_check.h"

#include <chrono>

#include "base/certificate.h"
#include "base/error.h"
#include "base/file.h"
#include "base/openssl.h"
#include "verifier/reference/doubts.h"
#include "verifier/tokens/secret_file.h"

namespace verifier {
namespace {

constexpr std::chrono::hours kExpiryWarning{7 * 24};
constexpr std::size_t kMaxPemBytes = std::size_t{1} << 20U;

constexpr const char* kCertificate = "config.listen.certificate";
constexpr const char* kPrivateKey = "config.listen.private_key";
constexpr const char* kRoots = "config.attestation_roots";

std::string in_file(const char* field, const std::filesystem::path& file) {
  return std::string(field) + ": " + file.string();
}

std::vector<base::X509Ptr> read_certificates(const char* field, const std::filesystem::path& file) {
  return base::parse_pem_certificates(base::read_text_file(file, kMaxPemBytes), in_file(field, file));
}

base::EvpPkeyPtr read_key(const TlsFiles& tls) {
  return base::parse_private_key(base::read_text_file(tls.private_key, kMaxPemBytes),
                                 in_file(kPrivateKey, tls.private_key));
}

void warn_of_times(const char* field, const std::filesystem::path& file, base::WallTime now,
                   std::vector<std::string>& warnings) {
  for (const base::X509Ptr& certificate : read_certificates(field, file)) {
    const std::string subject = in_file(field, file) + ": " + base::certificate_subject(*certificate);
    const base::Validity validity = base::validity_of(*certificate);
    if (validity.not_before > now) {
      warnings.push_back(subject + " is not valid before " + base::to_rfc3339(validity.not_before));
    }
    if (validity.not_after < now)
      warnings.push_back(subject + " has expired at " + base::to_rfc3339(validity.not_after));
  }
}

/// It may be its group's, as keys are that several services have.
void warn_of_readers(const std::filesystem::path& key, std::vector<std::string>& warnings) {
  try {
    expect_secret_of_group(key);
  } catch (const base::Error& error) {
    warnings.push_back(std::string(kPrivateKey) + ": " + error.what());
  }
}

}  // namespace

void expect_tls_key(const ListenConfig& listen) {
  if (!listen.tls) return;
  const std::vector<base::X509Ptr> chain = read_certificates(kCertificate, listen.tls->certificate);
  if (base::is_key_of(*read_key(*listen.tls), *chain.front())) return;
  throw base::Error(in_file(kPrivateKey, listen.tls->private_key) + " does not fit the first certificate of " +
                    listen.tls->certificate.string());
}

void expect_unchanged(const Config& config, const Config& running) {
  const auto expect = [](bool same, std::string_view field) {
    if (!same) throw base::InvalidInput(field, "can't change while the service runs: start it anew");
  };
  expect(config.listen.address == running.listen.address, "config.listen.address");
  expect(config.listen.port == running.listen.port, "config.listen.port");
  expect(config.listen.tls.has_value() == running.listen.tls.has_value(), "config.listen.certificate");
  expect(config.listen.trusted_proxies == running.listen.trusted_proxies, "config.listen.trusted_proxies");
  expect(config.state_directory == running.state_directory, "config.state_directory");
  expect(config.pkcs11 == running.pkcs11, "config.pkcs11");
}

std::vector<std::string> startup_warnings(const Config& config, const ReferenceValues& values, base::WallTime now) {
  std::vector<std::string> warnings;
  if (config.listen.tls) {
    warn_of_times(kCertificate, config.listen.tls->certificate, now, warnings);
    warn_of_readers(config.listen.tls->private_key, warnings);
  }
  for (const RootConfig& root : config.attestation_roots) warn_of_times(kRoots, root.file, now, warnings);
  if (values.size() == 0) {
    warnings.emplace_back("config.reference_values: no image is known, so every token will say swname GCE");
  }
  for (const auto& publication : values.publications()) {
    if (!publication->expires || *publication->expires > now + kExpiryWarning) continue;
    warnings.push_back("config.reference_publishers: version " + std::to_string(publication->version) +
                       " of publisher " + publication->publisher +
                       (publication->has_expired(now) ? " has expired at " : " expires at ") +
                       base::to_rfc3339(*publication->expires));
  }
  for (const std::string& doubt : doubts_about(values, config.require_secure_boot)) {
    warnings.push_back("config.reference_values: " + doubt);
  }
  return warnings;
}

}  // namespace verifier
