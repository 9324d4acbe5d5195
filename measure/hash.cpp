#include "measure/hash.h"

#include <algorithm>
#include <charconv>
#include <new>
#include <string>

#include <openssl/evp.h>

#include "base/error.h"
#include "base/openssl.h"

namespace measure {
namespace {

constexpr std::size_t kMaxIndexShown = 16;

const EVP_MD* evp_of(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::kSha1: return EVP_sha1();
    case HashAlgorithm::kSha256: return EVP_sha256();
    case HashAlgorithm::kSha384: return EVP_sha384();
    case HashAlgorithm::kSha512: return EVP_sha512();
  }
  throw base::Error("unknown hash algorithm");
}

}  // namespace

std::optional<HashAlgorithm> hash_algorithm_of(std::uint32_t tpm_alg_id) {
  const auto found = std::ranges::find(kHashAlgorithms, tpm_alg_id,
                                       [](HashAlgorithm algorithm) { return static_cast<std::uint32_t>(algorithm); });
  return found == kHashAlgorithms.end() ? std::nullopt : std::optional(*found);
}

std::size_t digest_size(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::kSha1: return 20;
    case HashAlgorithm::kSha256: return 32;
    case HashAlgorithm::kSha384: return 48;
    case HashAlgorithm::kSha512: return 64;
  }
  throw base::Error("unknown hash algorithm");
}

std::string_view name_of(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::kSha1: return "sha1";
    case HashAlgorithm::kSha256: return "sha256";
    case HashAlgorithm::kSha384: return "sha384";
    case HashAlgorithm::kSha512: return "sha512";
  }
  throw base::Error("unknown hash algorithm");
}

std::optional<HashAlgorithm> hash_algorithm_named(std::string_view name) {
  const auto found = std::ranges::find(kHashAlgorithms, name, [](HashAlgorithm each) { return name_of(each); });
  return found == kHashAlgorithms.end() ? std::nullopt : std::optional(*found);
}

std::uint32_t parse_pcr_index(std::string_view text, std::string_view field) {
  std::uint32_t index = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (code != std::errc() || text != std::to_string(index) || index > kMaxPcr) {
    throw base::InvalidInput(field, "\"" + std::string(text.substr(0, kMaxIndexShown)) + "\" is no PCR index");
  }
  return index;
}

base::Bytes hash(HashAlgorithm algorithm, base::ByteView bytes) { return hash(algorithm, {bytes}); }

base::Bytes hash(HashAlgorithm algorithm, std::initializer_list<base::ByteView> parts) {
  const base::EvpMdContextPtr context(EVP_MD_CTX_new());
  if (!context || EVP_DigestInit_ex(context.get(), evp_of(algorithm), nullptr) != 1) throw std::bad_alloc();
  for (const base::ByteView part : parts) EVP_DigestUpdate(context.get(), part.data(), part.size());
  base::Bytes digest(digest_size(algorithm));
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  return digest;
}

}  // namespace measure
