#pragma once

#include <cstdint>

#include "tpm/tpm.h"

namespace launcher {

// So that guessing authorisation values locks the TPM, but resets of the machine do not.
inline constexpr std::uint32_t kLockoutMaxTries = 32;
inline constexpr std::uint32_t kLockoutRecoverySeconds = 7200;
inline constexpr std::uint32_t kLockoutRecoveryOfLockout = 86400;
/// So few failures away from the lock-out, the operator is warned.
inline constexpr std::uint32_t kLockoutNear = 4;

/// Sets the TPM's dictionary-attack parameters as above. That they can't be set is a warning in the log, as a lock-out
/// hierarchy with a password is not the launcher's; it is not tried then, since a try would close the hierarchy.
/// Returns the state behind it. Blocks: for the TPM's thread.
tpm::LockoutState set_lockout_parameters(tpm::Tpm& tpm);

/// Says what a machine that was reset hard has to expect. `before` is the state that the launcher found, `now` that it
/// leaves. Throws Error when the TPM is locked, as no quote will come then.
void report_lockout(const tpm::LockoutState& before, const tpm::LockoutState& now);

/// Both, one after the other.
void guard_against_lockout(tpm::Tpm& tpm);

}  // namespace launcher
