#include "verifier/reference/publisher.h"

#include <algorithm>
#include <new>
#include <utility>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/ascii.h"
#include "base/error.h"
#include "base/text.h"

namespace verifier {
namespace {

using base::InvalidInput;

constexpr std::size_t kMaxNameLength = 64;
constexpr std::size_t kSignatureBytes = 64;

/// The next block of a PEM file (RFC 7468).
struct PemBlock {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long length = 0;

  PemBlock() = default;
  PemBlock(const PemBlock&) = delete;
  PemBlock& operator=(const PemBlock&) = delete;
  ~PemBlock() {
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
  }

  bool read(BIO& bio) { return PEM_read_bio(&bio, &name, &header, &data, &length) == 1; }
};

base::EvpPkeyPtr parse_key(const PemBlock& block, const std::string& subject) {
  const unsigned char* position = block.data;
  const bool is_public = std::string_view(block.name) == PEM_STRING_PUBLIC;
  base::EvpPkeyPtr key(is_public ? d2i_PUBKEY(nullptr, &position, block.length) : nullptr);
  if (!key || position != block.data + block.length) throw InvalidInput(subject, "holds what is no public key");
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519) {
    throw InvalidInput(subject, "holds a key other than Ed25519");
  }
  return key;
}

std::vector<base::EvpPkeyPtr> parse_keys(std::string_view pem, const std::string& subject) {
  const base::BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) throw std::bad_alloc();
  std::vector<base::EvpPkeyPtr> keys;
  std::string field = subject;
  for (;;) {
    const std::size_t begin = pem.size() - BIO_ctrl_pending(bio.get());
    field = subject + ": from line " + std::to_string(base::line_at(pem, begin)) + " on";
    PemBlock block;
    if (!block.read(*bio)) break;
    if (keys.size() == Publisher::kMaxKeys) throw InvalidInput(field, "holds too many keys");
    keys.push_back(parse_key(block, field));
  }
  const bool ended_well = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = base::openssl_error();
  if (keys.empty() || !ended_well) throw InvalidInput(field, "not public keys in PEM (" + reason + ")");
  return keys;
}

bool has_signed(EVP_PKEY& key, std::string_view document, base::ByteView signature) {
  const base::EvpMdContextPtr context(EVP_MD_CTX_new());
  if (!context) throw std::bad_alloc();
  const base::ByteView bytes = base::view_of(document);
  const bool good =
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, &key) == 1 &&
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes.data(), bytes.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace

bool is_publisher_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameLength &&
         std::ranges::all_of(name, [](char c) { return base::is_alphanumeric_or(c, "-_."); });
}

Publication Publication::parse(const base::JsonObject& document, base::Bytes sha256) {
  Publication publication{.publisher = document.string("publisher"),
                          .version = document.unsigned_integer("version"),
                          .expires = document.optional_time("expires"),
                          .sha256 = std::move(sha256)};
  if (!is_publisher_name(publication.publisher)) {
    throw InvalidInput(document.path() + ".publisher", "is not 1 to 64 letters, digits, '-', '_' and '.'");
  }
  if (publication.version == 0 || publication.version > kMaxPublicationVersion) {
    throw InvalidInput(document.path() + ".version", "is not between 1 and 2^53 - 1");
  }
  return publication;
}

Publisher::Publisher(std::string name, std::string_view keys_pem, const std::string& subject)
    : name_(std::move(name)), keys_(parse_keys(keys_pem, subject)) {}

void Publisher::expect_signature(std::string_view document, base::ByteView signature,
                                 const std::string& subject) const {
  if (signature.size() != kSignatureBytes) throw InvalidInput(subject, "its signature does not have 64 bytes");
  const bool good =
      std::ranges::any_of(keys_, [&](const base::EvpPkeyPtr& key) { return has_signed(*key, document, signature); });
  if (!good) throw InvalidInput(subject, "is not signed by publisher \"" + name_ + "\"");
}

Publication Publisher::parse_publication(const base::JsonObject& document, base::Bytes sha256) const {
  Publication publication = Publication::parse(document, std::move(sha256));
  if (publication.publisher != name_) {
    throw InvalidInput(document.path() + ".publisher", "is not \"" + name_ + "\", whose signature this is");
  }
  return publication;
}

base::Bytes sign_document(std::string_view document, EVP_PKEY& key, const std::string& subject) {
  if (EVP_PKEY_get_base_id(&key) != EVP_PKEY_ED25519) throw InvalidInput(subject, "is no key of Ed25519");
  const base::EvpMdContextPtr context(EVP_MD_CTX_new());
  if (!context) throw std::bad_alloc();
  const base::ByteView bytes = base::view_of(document);
  base::Bytes signature(kSignatureBytes);
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, &key) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, bytes.data(), bytes.size()) != 1) {
    throw base::Error("signing a document: " + base::openssl_error());
  }
  return signature;
}

}  // namespace verifier
