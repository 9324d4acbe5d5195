#include "attest/roots/tpm_root.h"

#include <openssl/x509.h>

#include "evidence/quote.h"
#include "measure/launch_log.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/provisioned_tpm.h"
#include "tests/unit/support/run.h"
#include "tpm/pcr.h"

using attest::TpmRoot;
using evidence::TpmEvidence;
using measure::Event;
using measure::EventType;
using tpm::Tpm;

namespace {

/// A provisioned machine whose launch has been measured.
struct Machine {
  test::ProvisionedTpm device;
  asio::io_context context;
  std::unique_ptr<tpm::TpmWorker> worker = std::make_unique<tpm::TpmWorker>();
  std::unique_ptr<TpmRoot> attester;
  base::EvpPkeyPtr key;

  explicit Machine(vtpm::KeyKind kind = vtpm::KeyKind::kEcc) : device(kind) {
    test::run(context, worker->open(device.tcti()));
    const auto indices = kind == vtpm::KeyKind::kEcc ? tpm::kEccKeyIndices : tpm::kRsaKeyIndices;
    const auto prepare = [indices](Tpm& tpm) {
      tpm::Pcr pcr(tpm, measure::kLaunchPcr);
      auto log = measure::LaunchLog::start(pcr);
      log.measure(pcr, Event::text(EventType::kImageRef, "image"));
      log.seal(pcr);
      return std::make_pair(std::move(log), attest::load_attestation_key(tpm, indices));
    };
    auto [log, ak] = test::run(context, worker->run(prepare));
    key.reset(X509_get_pubkey(ak.certificate.get()));
    TpmRoot::Endorsements endorsements{
        .boot_log = {1, 2}, .launch_log = log.bytes(), .launch_pcr = log.value(), .ak_chain = {{3}}};
    attester = std::make_unique<TpmRoot>(*worker, std::move(ak), std::move(endorsements));
  }

  TpmEvidence evidence(base::Bytes nonce) { return test::run(context, attester->evidence(std::move(nonce))); }

  void extend(std::uint32_t pcr) {
    const auto job = [pcr](Tpm& tpm) {
      measure::DigestSet digests;
      for (const auto& bank : tpm.pcr_banks()) {
        digests.insert(measure::Digest::of(bank.algorithm, base::view_of("x")));
      }
      tpm.extend(pcr, digests);
    };
    test::run(context, worker->run(job));
  }
};

}  // namespace

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

TEST_CASE("M 10: (quote, log) pairs of concurrent requests all replay") {
  Machine machine;
  int good = 0;
  for (int i = 0; i < 20; ++i) {
    const base::Bytes nonce(16, static_cast<std::uint8_t>(i + 1));
    asio::co_spawn(machine.context, machine.attester->evidence(nonce),
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

TEST_CASE("M 9: PCR 13 that somebody extends after the launch ends attestation before anything is sent") {
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
