#include "verifier/service/challenges/challenges.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/error.h"
#include "base/openssl.h"
#include "evidence/refusal.h"

namespace verifier {
namespace {

using base::Bytes;
using base::ByteView;

constexpr std::size_t kKeyBytes = 32;
constexpr std::uint32_t kKeyEpoch = 0;  // there is one key, as long as the process lives
// What one HMAC is over never begins like what the other is over.
constexpr std::string_view kTagLabel("challenge tag\0", 14);
constexpr std::string_view kNonceLabel("challenge nonce\0", 16);

Bytes hmac_sha256(const Bytes& key, std::initializer_list<ByteView> parts) {
  Bytes message;
  for (const ByteView part : parts) base::append(message, part);
  Bytes digest(EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(), message.size(), digest.data(),
           &size) == nullptr) {
    throw base::Error("HMAC: " + base::openssl_error());
  }
  digest.resize(size);
  return digest;
}

/// A name up to its id.
std::string_view collection_of(std::string_view name) { return name.substr(0, name.rfind('/') + 1); }

}  // namespace

Challenges::Challenges(std::chrono::seconds lifetime, base::Clock clock, std::size_t max_used)
    : lifetime_(lifetime), clock_(std::move(clock)), max_used_(max_used), key_(base::random_bytes(kKeyBytes)) {}

base::Awaitable<IssuedChallenge> Challenges::issue(std::string project, std::string location) {
  IssuedChallenge challenge;
  challenge.name = "projects/" + project + "/locations/" + location + "/challenges/";
  ChallengeId id;
  id.key_epoch = kKeyEpoch;
  const auto expires = std::chrono::ceil<std::chrono::seconds>(clock_.since_boot() + lifetime_);
  id.expires = static_cast<std::uint32_t>(expires.count());
  std::ranges::copy(base::random_bytes(id.random.size()), id.random.begin());
  id.tag = tag_of(id, challenge.name);
  challenge.name += id.text();
  challenge.nonce = hmac_sha256(key_, {base::view_of(kNonceLabel), base::view_of(challenge.name)});
  challenge.create_time = clock_.wall();
  challenge.expire_time = challenge.create_time + lifetime_;
  co_return challenge;
}

void Challenges::expect_open(std::string_view name) const { open_id_of(name); }

base::Awaitable<Bytes> Challenges::consume(std::string name) {
  remember(open_id_of(name));
  co_return hmac_sha256(key_, {base::view_of(kNonceLabel), base::view_of(name)});
}

ChallengeId Challenges::open_id_of(std::string_view name) const {
  const std::string_view collection = collection_of(name);
  const auto id = ChallengeId::parse(name.substr(collection.size()));
  const bool is_ours =
      id && id->key_epoch == kKeyEpoch && base::equal_in_constant_time(id->tag, tag_of(*id, collection));
  if (!is_ours || id->expires <= std::max(seconds_since_boot(), all_expired_until_) ||
      used_.contains({id->expires, id->random})) {
    throw evidence::Refusal(evidence::Reason::kChallengeNotOpen, "the challenge is unknown, used or expired");
  }
  return *id;
}

void Challenges::remember(const ChallengeId& id) {
  used_.emplace(id.expires, id.random);
  if (used_.size() > max_used_) all_expired_until_ = used_.begin()->first;
  const std::uint32_t expired = std::max(seconds_since_boot(), all_expired_until_);
  while (!used_.empty() && used_.begin()->first <= expired) used_.erase(used_.begin());
}

ChallengeId::Tag Challenges::tag_of(const ChallengeId& id, std::string_view collection) const {
  const Bytes digest = hmac_sha256(key_, {base::view_of(kTagLabel), base::view_of(collection), id.tagged()});
  ChallengeId::Tag tag{};
  std::copy_n(digest.begin(), tag.size(), tag.begin());
  return tag;
}

std::uint32_t Challenges::seconds_since_boot() const {
  return static_cast<std::uint32_t>(std::chrono::floor<std::chrono::seconds>(clock_.since_boot()).count());
}

}  // namespace verifier
