#include "verifier/challenges.h"

#include <utility>

#include "base/encoding.h"
#include "base/openssl.h"
#include "verifier/status.h"

namespace verifier {
namespace {

constexpr std::size_t kUuidBytes = 16;

/// RFC 9562, section 5.4.
std::string random_uuid() {
  base::Bytes bytes = base::random_bytes(kUuidBytes);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0fU) | 0x40U);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3fU) | 0x80U);
  std::string text = base::hex_encode(bytes);
  for (const std::size_t position : {20U, 16U, 12U, 8U}) text.insert(position, 1, '-');
  return text;
}

}  // namespace

Challenges::Challenges(std::chrono::seconds lifetime, base::Clock clock)
    : lifetime_(lifetime), clock_(std::move(clock)) {}

IssuedChallenge Challenges::issue(std::string_view project, std::string_view location) {
  forget_expired();
  if (nonces_.size() >= kMaxOutstandingChallenges) {
    throw StatusError("RESOURCE_EXHAUSTED", "too many challenges are waiting for their evidence");
  }
  const base::WallTime now = clock_.wall();
  IssuedChallenge challenge{
      "projects/" + std::string(project) + "/locations/" + std::string(location) + "/challenges/" + random_uuid(),
      base::random_bytes(kNonceBytes), now, now + lifetime_};
  const auto expires = clock_.since_boot() + lifetime_;
  nonces_.emplace(challenge.name, Outstanding{expires, challenge.nonce});
  deadlines_.push_back({expires, challenge.name});
  return challenge;
}

base::Bytes Challenges::consume(const std::string& name) {
  forget_expired();
  // The name is as hard to guess as the nonce, and who knows it has been told the nonce with it: looking it up in a
  // hash table gives nothing away. The nonce itself is compared in constant time, inside the quote's verification.
  const auto found = nonces_.find(name);
  if (found == nonces_.end()) throw StatusError("NOT_FOUND", "the challenge is unknown, used or expired");
  base::Bytes nonce = std::move(found->second.nonce);
  nonces_.erase(found);
  if (deadlines_.size() > 2 * kMaxOutstandingChallenges) {
    std::erase_if(deadlines_, [this](const Deadline& deadline) { return !nonces_.contains(deadline.name); });
  }
  return nonce;
}

void Challenges::forget_expired() {
  const auto now = clock_.since_boot();
  while (!deadlines_.empty()) {
    const Deadline& oldest = deadlines_.front();
    const auto found = nonces_.find(oldest.name);
    if (found != nonces_.end()) {
      if (oldest.expires > now) return;
      nonces_.erase(found);
    }
    deadlines_.pop_front();
  }
}

}  // namespace verifier
