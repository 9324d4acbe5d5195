#pragma once

#include <new>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/openssl.h"

namespace test {

/// Who signs documents of reference values.
class DocumentSigner {
 public:
  explicit DocumentSigner(const char* algorithm = "ED25519") : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, algorithm)) {}

  std::string public_pem() const {
    const base::BioPtr bio(BIO_new(BIO_s_mem()));
    if (!bio || PEM_write_bio_PUBKEY(bio.get(), key_.get()) != 1) throw std::bad_alloc();
    char* text = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(length)};
  }

  base::Bytes sign(std::string_view document) const {
    const base::EvpMdContextPtr context(EVP_MD_CTX_new());
    base::Bytes signature(64);
    std::size_t length = signature.size();
    const base::ByteView bytes = base::view_of(document);
    if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), signature.data(), &length, bytes.data(), bytes.size()) != 1) {
      throw std::bad_alloc();
    }
    return signature;
  }

 private:
  base::EvpPkeyPtr key_;
};

/// A document of reference values as a publisher writes it.
inline base::Json published(std::uint64_t version, const base::Json& images, const std::string& publisher = "team") {
  return {{"publisher", publisher}, {"version", version}, {"images", images}};
}

}  // namespace test
