#include "verifier/appraisal/appraisal.h"

#include "base/clock.h"
#include "evidence/refusal.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/support/machine.h"

// What each kind of evidence must hold: tests/unit/verifier/appraisal/tpm_test.cpp.

TEST_CASE("evidence is appraised by its kind") {
  test::Machine machine;
  const base::Bytes nonce = base::random_bytes(32);
  const evidence::Evidence evidence = machine.evidence(nonce);
  const base::WallTime now = base::Clock::system().wall();
  const verifier::Appraisal appraisal = verifier::appraise(evidence, nonce, machine.anchors(), now);
  CHECK(appraisal.identity == test::Machine::identity());
  CHECK(appraisal.secure_boot);
  CHECK(appraisal.launch.value().image_reference == "docker.io/library/nginx:latest");
  CHECK(std::holds_alternative<verifier::TpmMachine>(appraisal.machine));
  CHECK_THROWS_AS(verifier::appraise(evidence, base::random_bytes(32), machine.anchors(), now), evidence::Refusal);
}
