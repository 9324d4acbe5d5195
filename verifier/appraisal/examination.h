#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "evidence/refusal.h"

namespace verifier {

/// What must hold of evidence, and of who sends it, for a token; in the order in which it is looked at.
enum class Check : std::uint8_t {
  kAkCertificate,
  kAkChain,
  kInstance,
  kBootLog,
  kQuote,
  kQuotedBanks,
  kBootReplay,
  kReplayedBanks,
  kBootState,
  kHardwareModel,
  kLaunchLog,
  kLaunchReplay,
  kProject,
  kLocation,
  kDenyList,
  kSecureBoot,
  kImageInUse,
};

/// In words, such as "boot event log replays".
std::string_view name_of(Check check);
/// What helps where it fails: a sentence for the operator of the machine.
std::string_view advice_for(Check check);
/// Why a request is refused for it.
evidence::Reason reason_for(Check check);

enum class Outcome : std::uint8_t { kPassed, kFailed, kNotApplicable };

struct Examined {
  Check check;
  std::string subject;  ///< which of several, such as a PCR bank; empty where there is but one
  Outcome outcome = Outcome::kPassed;
  std::string detail = {};  ///< of one that failed: what is wrong; of one that does not apply: why
};

/// Makes the checks one after the other, and notes what came of them. A service has no use for what follows the first
/// failure, and gives a refusal for it; a person wants to see all that there is.
class Examination {
 public:
  enum class Extent : std::uint8_t { kToFirstFailure, kAll };

  explicit Examination(Extent extent) : extent_(extent) {}

  /// What `look()` returns (true, when it returns nothing); nothing when it throws an InvalidInput or a Refusal. Of an
  /// examination to the first failure, that is thrown: a Refusal.
  template <typename Look>
  auto make(Check check, std::string_view subject, Look look) {
    using Result = std::invoke_result_t<Look>;
    using Returned = std::conditional_t<std::is_void_v<Result>, bool, std::optional<Result>>;
    if (extent_ == Extent::kToFirstFailure) return Returned(refused_if_failed<Returned>(check, look));
    try {
      Returned returned(refused_if_failed<Returned>(check, look));
      note(check, subject, Outcome::kPassed, {});
      return returned;
    } catch (const evidence::Refusal& failure) {
      note(check, subject, Outcome::kFailed, failure.what());
      return Returned();
    }
  }
  template <typename Look>
  auto make(Check check, Look look) {
    return make(check, {}, look);
  }

  /// Notes one that can't be made, or need not be.
  void leave_out(Check check, std::string_view why) {
    if (extent_ == Extent::kAll) note(check, {}, Outcome::kNotApplicable, why);
  }

  const std::vector<Examined>& checks() const noexcept { return checks_; }
  bool has_failed() const noexcept { return has_failed_; }

 private:
  template <typename Returned, typename Look>
  static Returned refused_if_failed(Check check, Look& look) {
    return evidence::refuse_as(reason_for(check), [&]() -> Returned {
      if constexpr (std::is_void_v<std::invoke_result_t<Look>>) {
        look();
        return true;
      } else {
        return look();
      }
    });
  }

  void note(Check check, std::string_view subject, Outcome outcome, std::string_view detail);

  Extent extent_;
  std::vector<Examined> checks_;
  bool has_failed_ = false;
};

}  // namespace verifier
