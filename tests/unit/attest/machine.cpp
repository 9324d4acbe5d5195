#include "tests/unit/attest/machine.h"

#include <utility>

#include <openssl/x509.h>

#include "measure/launch_log.h"
#include "tests/unit/support/run.h"
#include "tpm/nv_indices.h"
#include "tpm/pcr.h"

namespace test {
Machine::Machine(vtpm::KeyKind kind, FaultyTpm::Fault fault) : device(kind) {
  if (fault) in_between.emplace(device.socket(), std::move(fault));
  test::run(context, worker->open(in_between ? in_between->tcti() : device.tcti()));
  const auto indices = kind == vtpm::KeyKind::kEcc ? tpm::kEccKeyIndices : tpm::kRsaKeyIndices;
  const auto prepare = [indices](tpm::Tpm& tpm) {
    tpm::Pcr pcr(tpm, measure::kLaunchPcr);
    auto log = measure::LaunchLog::start(pcr);
    log.measure(pcr, measure::Event::text(measure::EventType::kImageRef, "image"));
    log.seal(pcr);
    return std::make_pair(std::move(log), attest::load_attestation_key(tpm, indices));
  };
  auto [log, ak] = test::run(context, worker->run(prepare));
  key.reset(X509_get_pubkey(ak.certificate.get()));
  launch_log = log.bytes();
  attest::TpmRoot::Endorsements endorsements{
      .boot_log = {1, 2}, .launch_log = launch_log, .launch_pcr = log.value(), .ak_chain = {{3}}};
  root = std::make_unique<attest::TpmRoot>(*worker, std::move(ak), std::move(endorsements));
}

evidence::TpmEvidence Machine::evidence(base::Bytes nonce) {
  return test::run(context, root->evidence(std::move(nonce)));
}

void Machine::extend(std::uint32_t pcr) {
  const auto job = [pcr](tpm::Tpm& tpm) {
    measure::DigestSet digests;
    for (const auto& bank : tpm.pcr_banks()) {
      digests.insert(measure::Digest::of(bank.algorithm, base::view_of("x")));
    }
    tpm.extend(pcr, digests);
  };
  test::run(context, worker->run(job));
}

}  // namespace test
