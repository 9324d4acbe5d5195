#include "base/openssl.h"

#include <algorithm>
#include <new>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "base/error.h"
#include "base/text.h"

namespace base {
namespace {

constexpr std::size_t kSha256Size = 32;
constexpr int kMaxNamesShown = 4;

}  // namespace

std::string openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "OpenSSL error " + std::to_string(code);
}

X509Ptr parse_certificate(ByteView der, const std::string& field) {
  const unsigned char* cursor = der.data();
  X509Ptr certificate(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  if (!certificate) throw InvalidInput(field, "not a DER certificate (" + openssl_error() + ")");
  if (cursor != der.data() + der.size()) throw InvalidInput(field, "bytes follow the certificate");
  return certificate;
}

std::vector<X509Ptr> parse_pem_certificates(std::string_view pem, const std::string& field) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) throw std::bad_alloc();
  std::vector<X509Ptr> certificates;
  std::size_t begin = 0;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
    begin = pem.size() - BIO_ctrl_pending(bio.get());
  }
  const bool ended_well = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = openssl_error();
  if (!certificates.empty() && ended_well) return certificates;
  throw InvalidInput(field + ": from line " + std::to_string(line_at(pem, begin)) + " on",
                     "not PEM certificates (" + reason + ")");
}

Bytes certificate_der(const X509& certificate) {
  unsigned char* encoded = nullptr;
  const int length = i2d_X509(&certificate, &encoded);
  if (length < 0) throw Error("encoding a certificate: " + openssl_error());
  Bytes der(encoded, encoded + length);
  OPENSSL_free(encoded);
  return der;
}

std::string certificate_subject(const X509& certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio) throw std::bad_alloc();
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_ONELINE);
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

std::string certificate_common_name(const X509& certificate) {
  const X509_NAME* subject = X509_get_subject_name(&certificate);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0) return {};
  unsigned char* text = nullptr;
  const int length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
  if (length < 0) return {};
  std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(length));
  OPENSSL_free(text);
  return name;
}

std::string certificate_names(const X509& certificate) {
  struct Deleter {
    void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
  };
  const std::unique_ptr<GENERAL_NAMES, Deleter> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio) throw std::bad_alloc();
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < std::min(count, kMaxNamesShown); ++i) {
    if (i > 0) BIO_puts(bio.get(), ", ");
    GENERAL_NAME_print(bio.get(), sk_GENERAL_NAME_value(names.get(), i));
  }
  if (count > kMaxNamesShown) BIO_puts(bio.get(), ", ...");
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &text);
  return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : certificate_subject(certificate);
}

Bytes random_bytes(std::size_t count) {
  Bytes bytes(count);
  if (RAND_bytes(bytes.data(), static_cast<int>(count)) != 1) throw Error("no random bytes: " + openssl_error());
  return bytes;
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
}

void Sha256::update(ByteView bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }

Bytes Sha256::finish() {
  Bytes digest(kSha256Size);
  EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
  return digest;
}

}  // namespace base
