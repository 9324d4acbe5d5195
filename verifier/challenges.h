#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/bytes.h"
#include "base/clock.h"

namespace verifier {

inline constexpr std::size_t kNonceBytes = 32;
/// How many challenges may be neither used nor expired; about 3 MB.
inline constexpr std::size_t kMaxOutstandingChallenges = 10000;

struct IssuedChallenge {
  std::string name;  ///< projects/{project}/locations/{location}/challenges/{UUID version 4}
  base::Bytes nonce;
  base::WallTime create_time;
  base::WallTime expire_time;
};

/// The nonces that evidence must carry. Each is random, is given out once, and counts for one verification within its
/// lifetime. Kept in memory only: a restart forgets them, which costs an attester one more request.
class Challenges {
 public:
  Challenges(std::chrono::seconds lifetime, base::Clock clock);

  /// Throws StatusError RESOURCE_EXHAUSTED when too many are outstanding.
  IssuedChallenge issue(std::string_view project, std::string_view location);
  /// The nonce of a challenge, which is gone after this call. Throws StatusError NOT_FOUND for a challenge that was
  /// never given out, has been used or has expired; nobody learns which.
  base::Bytes consume(const std::string& name);

  std::size_t outstanding() const noexcept { return nonces_.size(); }

 private:
  struct Deadline {
    std::chrono::nanoseconds expires;  // since boot, so that no change of the time of day revives or kills one
    std::string name;
  };
  struct Outstanding {
    std::chrono::nanoseconds expires;
    base::Bytes nonce;
  };

  void forget_expired();

  std::chrono::seconds lifetime_;
  base::Clock clock_;
  std::deque<Deadline> deadlines_;  // in the order of expiry, as all live equally long; used ones may still stand here
  std::unordered_map<std::string, Outstanding> nonces_;
};

}  // namespace verifier
