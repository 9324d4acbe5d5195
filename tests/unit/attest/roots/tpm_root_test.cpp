#include "attest/roots/tpm_root.h"

#include "evidence/quote.h"
#include "measure/cel.h"
#include "tests/unit/attest/machine.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/swtpm.h"

using evidence::TpmEvidence;
using test::Machine;
using tpm::Tpm;

TEST_CASE("evidence holds one quote for each bank, and each verifies") {
  for (const vtpm::KeyKind kind : {vtpm::KeyKind::kEcc, vtpm::KeyKind::kRsa}) {
    Machine machine(kind);
    for (const base::Bytes& nonce : {base::Bytes(32, 7), base::Bytes(32, 8)}) {
      const TpmEvidence evidence = machine.evidence(nonce);
      REQUIRE(evidence.quotes.size() == 4);
      for (const evidence::Quote& quote : evidence.quotes)
        CHECK_NOTHROW(evidence::verify_quote(quote, *machine.key, nonce));
      CHECK(evidence.boot_log == base::Bytes{1, 2});
      CHECK(evidence.ak_chain.size() == 1);
    }
    CHECK_THROWS_WITH(machine.evidence({}), ContainsSubstring("nonce is empty"));
  }
}

TEST_CASE("(quote, log) pairs of concurrent requests all replay") {
  Machine machine;
  int good = 0;
  for (int i = 0; i < 20; ++i) {
    const base::Bytes nonce(16, static_cast<std::uint8_t>(i + 1));
    asio::co_spawn(machine.context, machine.root->evidence(nonce),
                   [&machine, &good, nonce](const std::exception_ptr& error, const TpmEvidence& evidence) {
                     if (error) return;
                     const auto records = measure::decode_cel(evidence.launch_log);
                     for (const evidence::Quote& quote : evidence.quotes) {
                       evidence::verify_quote(quote, *machine.key, nonce);
                       if (measure::replay_cel(records, quote.bank).to_bytes() != quote.pcr_values.at(13)) return;
                     }
                     ++good;
                   });
  }
  machine.context.restart();
  machine.context.run();
  CHECK(good == 20);
}

TEST_CASE("another PCR that changes is read again, not quoted with old values") {
  Machine machine;
  const auto before = machine.evidence({1}).quotes[1].pcr_values;
  machine.extend(15);
  const TpmEvidence evidence = machine.evidence({2});
  for (const evidence::Quote& quote : evidence.quotes)
    CHECK_NOTHROW(evidence::verify_quote(quote, *machine.key, base::Bytes{2}));
  CHECK(evidence.quotes[1].pcr_values.at(15) != before.at(15));
}

TEST_CASE("PCR 13 that somebody extends after the launch ends attestation before anything is sent") {
  Machine machine;
  CHECK_NOTHROW(machine.evidence({1}));
  machine.extend(13);
  CHECK_THROWS_WITH(machine.evidence({2}), ContainsSubstring("somebody has extended it since the launch"));
}

TEST_CASE("a machine that no cloud has provisioned has no attestation key") {
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  CHECK_THROWS_WITH(attest::load_attestation_key(tpm, tpm::kEccKeyIndices),
                    "failed to find AKCert on this VM: try creating a new VM or contacting support");
}
