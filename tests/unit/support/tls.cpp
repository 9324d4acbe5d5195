#include "tests/unit/support/tls.h"

#include <cstdio>
#include <memory>
#include <stdexcept>

#include <openssl/pem.h>

#include "base/openssl.h"

namespace test {
namespace {

struct FileCloser {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using FilePtr = std::unique_ptr<std::FILE, FileCloser>;

FilePtr open_for_writing(const std::filesystem::path& path) {
  FilePtr file(std::fopen(path.c_str(), "w"));
  if (!file) throw std::runtime_error("can't write " + path.string());
  return file;
}

base::EvpPkeyPtr new_key() { return base::EvpPkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")); }

void add_extension(X509& certificate, X509& issuer, int nid, const char* value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  X509_add_ext(&certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

base::X509Ptr new_certificate(const char* name, long serial, EVP_PKEY& key) {
  base::X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86400);
  X509_set_pubkey(certificate.get(), &key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  return certificate;
}

void write_certificate(const std::filesystem::path& path, X509& certificate) {
  const FilePtr file = open_for_writing(path);
  PEM_write_X509(file.get(), &certificate);
}

}  // namespace

void make_tls_files(const std::filesystem::path& directory) {
  const auto ca_key = new_key();
  const auto ca = new_certificate("Test authority", 1, *ca_key);
  X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get()));
  add_extension(*ca, *ca, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(ca.get(), ca_key.get(), EVP_sha256());

  const auto server_key = new_key();
  const auto server = new_certificate("127.0.0.1", 2, *server_key);
  X509_set_issuer_name(server.get(), X509_get_subject_name(ca.get()));
  add_extension(*server, *ca, NID_subject_alt_name, "IP:127.0.0.1");
  X509_sign(server.get(), ca_key.get(), EVP_sha256());

  write_certificate(directory / "ca.pem", *ca);
  write_certificate(directory / "server.pem", *server);
  const FilePtr key_file = open_for_writing(directory / "server-key.pem");
  PEM_write_PrivateKey(key_file.get(), server_key.get(), nullptr, nullptr, 0, nullptr, nullptr);
}

}  // namespace test
