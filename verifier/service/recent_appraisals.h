#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "evidence/status.h"
#include "verifier/service/issue_token.h"

namespace verifier {

/// What became of the last requests for tokens, for the operator of the service.
class RecentAppraisals {
 public:
  static constexpr std::size_t kMaxAppraisals = 256;
  /// Of one in JSON: of a longer one the explanation is left out, whose texts the machine has written.
  static constexpr std::size_t kMaxAppraisalBytes = std::size_t{16} << 10U;

  void add(const IssuedToken& issued, base::WallTime now);
  void add(const evidence::StatusError& refusal, base::WallTime now);

  /// The newest first: {"time", "outcome": "token", "project_id", "instance_name", "instance_id", "attestation_key",
  /// "hwmodel", "swname", "image_digest", "explanation"} or {"time", "outcome": "refused", "reason", "message"}. Of one
  /// instance, when `instance_id` is not empty.
  base::Json list(std::string_view instance_id) const;

  std::uint64_t tokens() const noexcept { return tokens_; }
  std::uint64_t refusals() const noexcept { return refusals_; }

 private:
  void add(base::Json appraisal);

  std::deque<base::Json> appraisals_;
  std::uint64_t tokens_ = 0;
  std::uint64_t refusals_ = 0;
};

}  // namespace verifier
