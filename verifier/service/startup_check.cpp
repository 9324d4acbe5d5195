#include "verifier/service/startup_check.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/error.h"
#include "base/file.h"
#include "base/openssl.h"

namespace verifier {
namespace {

constexpr std::size_t kMaxPemBytes = std::size_t{1} << 20U;

std::vector<base::X509Ptr> read_chain(const TlsFiles& tls) {
  return base::parse_pem_certificates(base::read_text_file(tls.certificate, kMaxPemBytes),
                                      "config.listen.certificate: " + tls.certificate.string());
}

/// A key with a password is none: there is nobody to ask.
int no_password(char*, int, int, void*) { return 0; }

base::EvpPkeyPtr read_key(const TlsFiles& tls) {
  const std::string pem = base::read_text_file(tls.private_key, kMaxPemBytes);
  const base::BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  base::EvpPkeyPtr key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr) : nullptr);
  if (!key) {
    throw base::Error("config.listen.private_key: " + tls.private_key.string() +
                      ": is no private key in PEM without a password: " + base::openssl_error());
  }
  return key;
}

std::string time_text(const ASN1_TIME& time) {
  const base::BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || ASN1_TIME_print_ex(bio.get(), &time, ASN1_DTFLGS_ISO8601) != 1) return "?";
  const char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

void warn_of_times(const TlsFiles& tls, base::WallTime now, std::vector<std::string>& warnings) {
  auto seconds = static_cast<time_t>(base::to_unix_seconds(now));
  for (const base::X509Ptr& certificate : read_chain(tls)) {
    const std::string subject =
        "config.listen.certificate: " + tls.certificate.string() + ": " + base::certificate_subject(*certificate);
    const ASN1_TIME* begin = X509_get0_notBefore(certificate.get());
    const ASN1_TIME* end = X509_get0_notAfter(certificate.get());
    if (X509_cmp_time(begin, &seconds) > 0) warnings.push_back(subject + " is not valid before " + time_text(*begin));
    if (X509_cmp_time(end, &seconds) < 0) warnings.push_back(subject + " has expired at " + time_text(*end));
  }
}

}  // namespace

void expect_tls_key(const ListenConfig& listen) {
  if (!listen.tls) return;
  const std::vector<base::X509Ptr> chain = read_chain(*listen.tls);
  if (X509_check_private_key(chain.front().get(), read_key(*listen.tls).get()) == 1) return;
  base::openssl_error();
  throw base::Error("config.listen.private_key: " + listen.tls->private_key.string() +
                    " does not fit the first certificate of " + listen.tls->certificate.string());
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
}

std::vector<std::string> startup_warnings(const ListenConfig& listen, const ReferenceValues& values,
                                          base::WallTime now) {
  std::vector<std::string> warnings;
  if (listen.tls) warn_of_times(*listen.tls, now, warnings);
  if (values.size() == 0) {
    warnings.emplace_back("config.reference_values: no image is known, so every token will say swname GCE");
  }
  for (const std::string& subject : values.retired_subjects()) {
    warnings.push_back("config.reference_values: " + subject + ": all images are deprecated");
  }
  for (const std::string& name : values.images_by_loader_alone()) {
    warnings.push_back(
        "config.reference_values: image " + name +
        " states PCR 4 and neither PCR 9 nor unified_kernel_image_authenticode_sha256: what a boot loader "
        "loads, such as the initial RAM disk, may be anything");
  }
  return warnings;
}

}  // namespace verifier
