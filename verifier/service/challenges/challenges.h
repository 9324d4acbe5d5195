#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/asio.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "verifier/service/challenges/challenge_id.h"

namespace verifier {

inline constexpr std::size_t kNonceBytes = 32;
/// How many used challenges are remembered; about 16 MB. Each has cost a client a whole verify request.
inline constexpr std::size_t kMaxUsedChallenges = std::size_t{1} << 18U;

struct IssuedChallenge {
  std::string name;  ///< projects/{project}/locations/{location}/challenges/{id}
  base::Bytes nonce;
  base::WallTime create_time;
  base::WallTime expire_time;
};

/// The nonces that evidence must carry. Each is given out once and counts for one verification within its lifetime.
///
/// Nothing is kept of a challenge until it is used: its id carries its expiry and a tag, an HMAC of a key that is made
/// at the start and kept nowhere else, and the nonce is another HMAC, over the whole name. So giving one out costs no
/// memory, an id that was made up is known by its tag, and a restart forgets them all, which costs an attester one more
/// request.
///
/// A used one is remembered until it has expired. Beyond kMaxUsedChallenges the one that expires first is forgotten,
/// and all challenges that expire no later count as expired from then on: whoever uses up many shortens lifetimes, and
/// is never accepted twice.
class Challenges {
 public:
  Challenges(std::chrono::seconds lifetime, base::Clock clock, std::size_t max_used = kMaxUsedChallenges);

  /// Of challenges that are given out from now on.
  void set_lifetime(std::chrono::seconds lifetime) noexcept { lifetime_ = lifetime; }

  base::Awaitable<IssuedChallenge> issue(std::string project, std::string location);
  /// Throws Refusal CHALLENGE_NOT_OPEN for a challenge that was never given out, has been used or has expired, as far
  /// as is known without waiting; nobody learns which.
  void expect_open(std::string_view name) const;
  /// The nonce of a challenge, which is used after this call. Throws as expect_open does.
  base::Awaitable<base::Bytes> consume(std::string name);

  std::size_t used() const noexcept { return used_.size(); }

 private:
  using Used = std::pair<std::uint32_t, ChallengeId::Random>;  // the expiry first, as it orders them

  ChallengeId open_id_of(std::string_view name) const;
  void remember(const ChallengeId& id);
  ChallengeId::Tag tag_of(const ChallengeId& id, std::string_view collection) const;
  std::uint32_t seconds_since_boot() const;

  std::chrono::seconds lifetime_;
  base::Clock clock_;
  std::size_t max_used_;
  base::Bytes key_;
  std::set<Used> used_;
  std::uint32_t all_expired_until_ = 0;
};

}  // namespace verifier
