#include "attest/roots/tpm_launch.h"

#include <algorithm>
#include <utility>

#include "attest/roots/attestation_key.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/log.h"
#include "measure/launch_log.h"
#include "tpm/pcr.h"

namespace attest {
namespace {

/// So that a slow TPM is through with them well within tpm::kTpmDeadline.
constexpr std::size_t kEventsInOneJob = 256;

}  // namespace

struct TpmLaunch::State {
  State(measure::LaunchLog started, AttestationKey loaded) : log(std::move(started)), key(std::move(loaded)) {}

  measure::LaunchLog log;
  AttestationKey key;
};

base::Awaitable<TpmLaunch> TpmLaunch::begin(tpm::TpmWorker& worker, tpm::AttestationKeyIndices indices,
                                            base::Bytes boot_log) {
  auto prepare = [indices](tpm::Tpm& device) {
    tpm::Pcr pcr(device, measure::kLaunchPcr);
    measure::LaunchLog log = measure::LaunchLog::start(pcr);
    return std::make_shared<State>(std::move(log), load_attestation_key(device, indices));
  };
  std::shared_ptr<State> state = co_await worker.run(std::move(prepare));
  co_return TpmLaunch(worker, std::move(state), std::move(boot_log));
}

TpmLaunch::TpmLaunch(tpm::TpmWorker& worker, std::shared_ptr<State> state, base::Bytes boot_log)
    : worker_(worker), state_(std::move(state)), boot_log_(std::move(boot_log)) {}

TpmLaunch::~TpmLaunch() {
  if (state_) worker_.release(std::move(state_));
}

const X509& TpmLaunch::ak_certificate() const { return *state_->key.certificate; }

std::size_t TpmLaunch::evidence_bytes(std::span<const measure::Event> events,
                                      const std::vector<base::Bytes>& ak_chain) const {
  std::size_t bytes = boot_log_.size() + state_->log.size_with(events) + base::certificate_der(ak_certificate()).size();
  for (const base::Bytes& certificate : ak_chain) bytes += certificate.size();
  return bytes;
}

base::Awaitable<std::unique_ptr<TpmRoot>> TpmLaunch::measure(std::vector<measure::Event> events,
                                                             std::vector<base::Bytes> ak_chain) {
  try {
    co_await extend(events);
  } catch (const base::Error& error) {
    throw error.in_context("failed to measure CEL events");
  }
  const measure::DigestSet& value = state_->log.value();
  for (const measure::Digest& digest : value) {
    base::log::info("measured", {{"pcr", int{measure::kLaunchPcr}},
                                 {"bank", name_of(digest.algorithm())},
                                 {"value", base::hex_encode(digest.bytes())}});
  }
  TpmRoot::Endorsements endorsements{.boot_log = std::move(boot_log_),
                                     .launch_log = state_->log.bytes(),
                                     .launch_pcr = value,
                                     .ak_chain = std::move(ak_chain)};
  co_return std::make_unique<TpmRoot>(worker_, std::move(state_->key), std::move(endorsements));
}

base::Awaitable<void> TpmLaunch::extend(std::span<const measure::Event> events) {
  while (!events.empty()) {
    const auto part = events.first(std::min(events.size(), kEventsInOneJob));
    events = events.subspan(part.size());
    auto measure_part = [state = state_, own = std::vector(part.begin(), part.end())](tpm::Tpm& device) {
      tpm::Pcr pcr(device, measure::kLaunchPcr);
      for (const measure::Event& event : own) state->log.measure(pcr, event);
    };
    co_await worker_.run(std::move(measure_part));
  }
  auto seal = [state = state_](tpm::Tpm& device) {
    tpm::Pcr pcr(device, measure::kLaunchPcr);
    state->log.seal(pcr);
  };
  co_await worker_.run(std::move(seal));
}

}  // namespace attest
