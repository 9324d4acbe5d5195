#include "tests/unit/verifier/support/machine.h"

#include <chrono>

#include "attest/roots/attestation_key.h"
#include "measure/launch_log.h"
#include "tpm/pcr.h"
#include "vtpm/provision.h"
#include "vtpm/replay.h"

namespace test {

using namespace std::chrono_literals;
using measure::Event;
using measure::EventType;

const std::string kSoftwareTpm = "SOFTWARE_TPM";
const std::string kImageDigest = "sha256:" + std::string(64, 'a');

std::vector<Event> launch_events() {
  return {Event::text(EventType::kImageRef, "docker.io/library/nginx:latest"),
          Event::text(EventType::kImageDigest, test::kImageDigest),
          Event::text(EventType::kRestartPolicy, "Never"),
          Event::text(EventType::kImageId, test::kImageDigest),
          Event::text(EventType::kArg, "nginx"),
          Event::text(EventType::kEnvVar, "PATH=/bin"),
          Event{EventType::kMemoryMonitor, {0}}};
}

evidence::InstanceIdentity Machine::identity() {
  return {"us-central1-a", 12345, "my-project", 678, "my-instance", true};
}

base::Validity Machine::validity() {
  const base::WallTime now = base::Clock::system().wall();
  return {now - 1h, now + 24h};
}

Machine::Machine(base::Bytes boot_log)
    : directory_("cs-test"),
      authority_(vtpm::CertificateAuthority::open(directory_.path() / "ca")),
      boot_log_(std::move(boot_log)) {
  tpm_ = std::make_unique<tpm::Tpm>(tpm::Tpm::open(swtpm_.tcti()));
  vtpm::provision(*tpm_, authority_, identity(), validity(), vtpm::KeyKind::kEcc);
  vtpm::replay_boot_log(*tpm_, measure::decode_boot_log(boot_log_));
  tpm::Pcr pcr(*tpm_, measure::kLaunchPcr);
  measure::LaunchLog log = measure::LaunchLog::start(pcr);
  for (const Event& event : launch_events()) log.measure(pcr, event);
  log.seal(pcr);
  launch_log_ = log.bytes();
}

evidence::TpmEvidence Machine::evidence(base::ByteView nonce) {
  const auto key = attest::load_attestation_key(*tpm_, tpm::kEccKeyIndices);
  evidence::TpmEvidence evidence;
  for (const auto& bank : tpm_->pcr_banks()) {
    auto blob = tpm_->quote(key.key, nonce, bank);
    evidence.quotes.push_back({bank.algorithm, tpm_->read_pcrs(bank.algorithm, bank.pcrs), std::move(blob.attest),
                               std::move(blob.signature)});
  }
  evidence.boot_log = boot_log_;
  evidence.launch_log = launch_log_;
  evidence.ak_certificate = base::certificate_der(*key.certificate);
  return evidence;
}

verifier::TrustAnchors Machine::anchors() const { return anchors({kSoftwareTpm}); }

verifier::TrustAnchors Machine::anchors(const verifier::Platform& platform) const {
  std::vector<verifier::TrustAnchor> roots;
  roots.push_back({base::parse_certificate(base::certificate_der(authority_.certificate()), "authority"), platform});
  return verifier::TrustAnchors(roots);
}

base::Bytes Machine::certificate(const evidence::InstanceIdentity& identity, const base::Validity& validity) {
  const auto key = attest::load_attestation_key(*tpm_, tpm::kEccKeyIndices);
  return base::certificate_der(*vtpm::certify_attestation_key(authority_, key.key, identity, validity));
}

}  // namespace test
