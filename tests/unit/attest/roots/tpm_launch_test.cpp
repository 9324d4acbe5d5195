#include "attest/roots/tpm_launch.h"

#include "base/error.h"
#include "measure/cel.h"
#include "measure/launch_log.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/provisioned_tpm.h"
#include "tests/unit/support/run.h"
#include "tpm/pcr.h"

using attest::TpmLaunch;
using attest::TpmRoot;
using measure::Event;
using measure::EventType;

namespace {

struct LaunchedMachine {
  test::ProvisionedTpm device;
  asio::io_context context;
  tpm::TpmWorker worker;

  LaunchedMachine() { test::run(context, worker.open(device.tcti())); }

  TpmLaunch begin() { return test::run(context, TpmLaunch::begin(worker, tpm::kEccKeyIndices, {1, 2, 3})); }
  void extend() {
    const auto job = [](tpm::Tpm& tpm) {
      tpm::Pcr pcr(tpm, measure::kLaunchPcr);
      pcr.extend(pcr.read());
    };
    test::run(context, worker.run(job));
  }
};

std::vector<Event> events(std::size_t count) {
  return std::vector<Event>(count, Event::text(EventType::kArg, "argument"));
}

}  // namespace

TEST_CASE("what was measured is what the evidence tells, and as long as it was said to become") {
  // Some that make more than one job of the TPM's.
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{600}}) {
    LaunchedMachine machine;
    TpmLaunch launch = machine.begin();
    const std::vector<base::Bytes> ak_chain = {base::Bytes(500, 4)};
    const std::size_t promised = launch.evidence_bytes(events(count), ak_chain);
    const std::unique_ptr<TpmRoot> root = test::run(machine.context, launch.measure(events(count), ak_chain));
    const evidence::TpmEvidence evidence = test::run(machine.context, root->evidence({7}));
    const auto records = measure::decode_cel(evidence.launch_log);
    CHECK(records.size() == count + 1);  // and the separator
    for (const evidence::Quote& quote : evidence.quotes) {
      CHECK(measure::replay_cel(records, quote.bank).to_bytes() == quote.pcr_values.at(measure::kLaunchPcr));
    }
    CHECK(evidence.boot_log == base::Bytes{1, 2, 3});
    CHECK(evidence.ak_chain == ak_chain);
    CHECK(promised == evidence.boot_log.size() + evidence.launch_log.size() + evidence.ak_certificate.size() + 500);
  }
}

TEST_CASE("a launch that is not the first of its boot does not begin") {
  LaunchedMachine machine;
  machine.extend();
  CHECK_THROWS_WITH(machine.begin(), ContainsSubstring("PCR 13"));
}

TEST_CASE("a register that somebody else extends meanwhile is no launch") {
  LaunchedMachine machine;
  TpmLaunch launch = machine.begin();
  machine.extend();
  CHECK_THROWS_WITH(test::run(machine.context, launch.measure(events(1), {})),
                    ContainsSubstring("failed to measure CEL events: "));
}

TEST_CASE("a launch that is given up leaves no key in the TPM") {
  LaunchedMachine machine;
  // More than a TPM has room for at a time.
  for (int i = 0; i < 10; ++i) CHECK_NOTHROW(machine.begin());
}
