#include "launcher/host/lockout.h"

#include <string>

#include "base/error.h"
#include "base/log.h"

namespace launcher {
namespace {

constexpr auto kNotSet = "the TPM's dictionary-attack parameters can't be set";
constexpr auto kAdvice = "Avoid using instance reset. Instead, use instance stop/start.";

bool are_set(const tpm::LockoutState& state) {
  return state.max_tries == kLockoutMaxTries && state.recovery_seconds == kLockoutRecoverySeconds &&
         state.lockout_recovery_seconds == kLockoutRecoveryOfLockout;
}

}  // namespace

tpm::LockoutState set_lockout_parameters(tpm::Tpm& tpm) {
  const tpm::LockoutState found = tpm.lockout_state();
  if (are_set(found)) return found;
  if (found.has_password) {
    base::log::warning(kNotSet, {{"error", "the lockout hierarchy has a password"}});
    return found;
  }
  try {
    tpm.set_lockout_parameters(kLockoutMaxTries, kLockoutRecoverySeconds, kLockoutRecoveryOfLockout);
  } catch (const tpm::TpmError& error) {
    base::log::warning(kNotSet, {{"error", error.what()}});
  }
  return tpm.lockout_state();
}

void report_lockout(const tpm::LockoutState& before, const tpm::LockoutState& now) {
  if (now.is_locked_out) {
    throw base::Error("the TPM is locked out and will not quote: " + std::to_string(now.counter) + " of " +
                      std::to_string(now.max_tries) +
                      " failures are used up, most often by resets of the machine; one is forgiven after each " +
                      std::to_string(now.recovery_seconds) +
                      " s for which the machine is up, or all with the lockout hierarchy (tpm2_dictionarylockout -c)");
  }
  if (!before.startup_was_orderly) {
    base::log::warning(
        std::string("Failed orderly startup. ") + kAdvice,
        {{"lockout_counter", std::uint64_t{before.counter}}, {"max_tries", std::uint64_t{now.max_tries}}});
  }
  if (now.counter > 0 && now.counter + kLockoutNear >= now.max_tries) {
    base::log::warning(std::string("the TPM is about to be locked out, and will not quote then. ") + kAdvice,
                       {{"lockout_counter", std::uint64_t{now.counter}},
                        {"max_tries", std::uint64_t{now.max_tries}},
                        {"recovery_sec", std::uint64_t{now.recovery_seconds}}});
  }
}

void guard_against_lockout(tpm::Tpm& tpm) {
  const tpm::LockoutState before = tpm.lockout_state();
  report_lockout(before, set_lockout_parameters(tpm));
}

}  // namespace launcher
