#include "launcher/host/lockout.h"

#include <atomic>

#include "base/encoding.h"
#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/faulty_tpm.h"
#include "tests/unit/support/lockout_password.h"
#include "tests/unit/support/swtpm.h"

using launcher::report_lockout;
using tpm::LockoutState;
using tpm::Tpm;

namespace {

constexpr std::uint32_t kDictionaryAttackParameters = 0x13a;  // TPM_CC

const base::Bytes kEccTemplate = base::hex_decode(
    "0023000b00050072000000100018000b000300100020" + std::string(64, '0') + "0020" + std::string(64, '0'), "template");

void quote(Tpm& tpm) {
  const tpm::TpmKey key = tpm.create_endorsement_primary(kEccTemplate);
  tpm.quote(key, base::Bytes{1}, {measure::HashAlgorithm::kSha256, {13}});
}

/// Power goes away behind the use of a key that counts.
void reset_hard(test::Swtpm& swtpm) {
  {
    Tpm tpm = Tpm::open(swtpm.tcti());
    quote(tpm);
  }
  swtpm.power_cycle();
}

}  // namespace

TEST_CASE("E: the dictionary-attack parameters are set once") {
  test::Swtpm swtpm;
  std::atomic<int> commands = 0;
  const test::FaultyTpm counting(swtpm.tcti().substr(swtpm.tcti().find('=') + 1),
                                 [&](std::uint32_t code) -> std::unique_ptr<test::FaultyTpm::Answer> {
                                   if (code == kDictionaryAttackParameters) ++commands;
                                   return nullptr;
                                 });
  Tpm tpm = Tpm::open(counting.tcti());
  for (int i = 0; i < 2; ++i) {
    const LockoutState state = launcher::set_lockout_parameters(tpm);
    CHECK(state.max_tries == launcher::kLockoutMaxTries);
    CHECK(state.recovery_seconds == launcher::kLockoutRecoverySeconds);
    CHECK(state.lockout_recovery_seconds == launcher::kLockoutRecoveryOfLockout);
    CHECK_FALSE(state.has_password);
  }
  CHECK(commands == 1);
}

TEST_CASE("E: a lockout hierarchy with a password is left alone, and stays open for its owner") {
  test::Swtpm swtpm;
  test::set_lockout_password(swtpm.tcti(), "owner");
  std::atomic<int> commands = 0;
  const test::FaultyTpm counting(swtpm.tcti().substr(swtpm.tcti().find('=') + 1),
                                 [&](std::uint32_t code) -> std::unique_ptr<test::FaultyTpm::Answer> {
                                   if (code == kDictionaryAttackParameters) ++commands;
                                   return nullptr;
                                 });
  Tpm tpm = Tpm::open(counting.tcti());
  const LockoutState state = launcher::set_lockout_parameters(tpm);
  CHECK(state.has_password);
  CHECK(state.max_tries != launcher::kLockoutMaxTries);
  CHECK(commands == 0);
  CHECK_NOTHROW(report_lockout(state, state));
  CHECK_NOTHROW(quote(tpm));
}

TEST_CASE("E: parameters that can't be set for another reason are no failure either") {
  test::Swtpm swtpm;
  const test::FaultyTpm refusing(swtpm.tcti().substr(swtpm.tcti().find('=') + 1),
                                 [](std::uint32_t code) -> std::unique_ptr<test::FaultyTpm::Answer> {
                                   if (code != kDictionaryAttackParameters) return nullptr;
                                   return std::make_unique<test::FaultyTpm::Answer>(
                                       test::FaultyTpm::Answer{test::FaultyTpm::response(0x921)});  // TPM_RC_LOCKOUT
                                 });
  Tpm tpm = Tpm::open(refusing.tcti());
  CHECK(launcher::set_lockout_parameters(tpm).max_tries != launcher::kLockoutMaxTries);
}

TEST_CASE("E: a TPM that hard resets have locked is named before anything else is tried, and forgives when it may") {
  test::Swtpm swtpm;
  constexpr std::uint32_t kFewTries = 2;
  {
    Tpm tpm = Tpm::open(swtpm.tcti());
    tpm.set_lockout_parameters(kFewTries, 7200, 86400);
  }
  for (std::uint32_t i = 0; i < kFewTries; ++i) reset_hard(swtpm);
  Tpm tpm = Tpm::open(swtpm.tcti());
  const LockoutState locked = tpm.lockout_state();
  REQUIRE(locked.is_locked_out);
  CHECK_FALSE(locked.startup_was_orderly);
  CHECK_THROWS_AS(quote(tpm), tpm::TpmError);
  CHECK_THROWS_WITH(report_lockout(locked, locked),
                    ContainsSubstring("locked out and will not quote: 2 of 2 failures are used up"));
  // More tries than failures so far: the lock is open.
  const LockoutState now = launcher::set_lockout_parameters(tpm);
  CHECK_FALSE(now.is_locked_out);
  CHECK_NOTHROW(report_lockout(locked, now));
  CHECK_NOTHROW(quote(tpm));
}
