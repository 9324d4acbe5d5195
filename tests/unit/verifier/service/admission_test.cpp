#include "verifier/service/admission.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "evidence/refusal.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/reference/images.h"
#include "vtpm/certificate_authority.h"
#include "base/private_directory.h"

using test::images::Json;
using verifier::Appraisal;
using verifier::Check;
using verifier::Examination;
using verifier::Examined;
using verifier::Knowledge;
using verifier::Outcome;
using verifier::ResourcePath;

namespace {

Appraisal admitted() {
  Appraisal made;
  made.identity = {.zone = "us-central1-a",
                   .project_number = 12345,
                   .project_id = "my-project",
                   .instance_id = 678,
                   .instance_name = "my-instance",
                   .is_production = true};
  made.attestation_key_sha256 = std::string(64, 'a');
  made.secure_boot = true;
  made.launch.emplace();
  made.machine = test::images::machine();
  return made;
}

verifier::TrustAnchors some_anchors() {
  const base::PrivateDirectory folder("cs-anchors");
  const auto authority = vtpm::CertificateAuthority::open(folder.path());
  auto certificates = base::parse_pem_certificates(base::certificate_pem(authority.certificate()), "root");
  std::vector<verifier::TrustAnchor> anchors;
  anchors.push_back({std::move(certificates.front()), {}});
  return verifier::TrustAnchors(anchors);
}

/// Of a service that demands all that there is to demand.
Knowledge strict(Json image = test::images::entry(), const std::string& denied = R"({"instance_ids": ["1"]})") {
  verifier::Config config;
  config.locations = {"us-central1"};
  config.require_secure_boot = true;
  config.on_deprecated = verifier::OnDeprecated::kRefuse;
  return {std::move(config), some_anchors(), test::images::parse(Json::array({std::move(image)})),
          verifier::IdentityTokens({}), verifier::DenyList::parse(denied, "denied")};
}

const ResourcePath kChallenge{.project = "my-project", .location = "us-central1", .challenge = {}, .verb = {}};

/// The reason of the first refusal.
std::string refusal_of(const Knowledge& knowledge, const Appraisal& appraisal,
                       const ResourcePath& resource = kChallenge) {
  Examination examination(Examination::Extent::kToFirstFailure);
  try {
    verifier::examine_admission(examination, knowledge, appraisal, &resource);
    return "admitted";
  } catch (const evidence::Refusal& refusal) {
    return refusal.reason();
  }
}

}  // namespace

TEST_CASE("A machine is admitted when nothing speaks against it") {
  CHECK(refusal_of(strict(), admitted()) == "admitted");
  ResourcePath by_number = kChallenge;
  by_number.project = "12345";
  CHECK(refusal_of(strict(), admitted(), by_number) == "admitted");
}

TEST_CASE("Whatever speaks against a machine has its reason") {
  Appraisal appraisal = admitted();
  ResourcePath challenge = kChallenge;
  SECTION("another project's challenge") {
    challenge.project = "other";
    CHECK(refusal_of(strict(), appraisal, challenge) == "PROJECT_MISMATCH");
  }
  SECTION("another location's") {
    challenge.location = "europe-west4";
    CHECK(refusal_of(strict(), appraisal, challenge) == "LOCATION_MISMATCH");
    Knowledge anywhere = strict();
    anywhere.config.locations.clear();
    CHECK(refusal_of(anywhere, appraisal, challenge) == "admitted");
  }
  SECTION("a deny list") {
    CHECK(refusal_of(strict(test::images::entry(), R"({"instance_ids": ["678"]})"), appraisal) == "INSTANCE_DENIED");
    const std::string key = R"({"attestation_keys": [")" + std::string(64, 'a') + R"("]})";
    CHECK(refusal_of(strict(test::images::entry(), key), appraisal) == "ATTESTATION_KEY_DENIED");
  }
  SECTION("no Secure Boot") {
    appraisal.secure_boot = false;
    CHECK(refusal_of(strict(), appraisal) == "SECURE_BOOT_OFF");
    Knowledge lenient = strict();
    lenient.config.require_secure_boot = false;
    CHECK(refusal_of(lenient, appraisal) == "admitted");
  }
  SECTION("a deprecated image") {
    Json image = test::images::entry();
    image["deprecated"] = true;
    CHECK(refusal_of(strict(image), appraisal) == "IMAGE_DEPRECATED");
    Knowledge lenient = strict(image);
    lenient.config.on_deprecated = verifier::OnDeprecated::kSayGce;
    CHECK(refusal_of(lenient, appraisal) == "admitted");
    appraisal.launch.reset();  // of a machine that has launched nothing the image says nothing
    CHECK(refusal_of(strict(image), appraisal) == "admitted");
  }
}

TEST_CASE("Where the challenge is not known, what it says does not apply") {
  Examination examination(Examination::Extent::kAll);
  verifier::examine_admission(examination, strict(), admitted(), nullptr);
  CHECK_FALSE(examination.has_failed());
  const auto outcome_of = [&](Check check) {
    return std::ranges::find(examination.checks(), check, &Examined::check)->outcome;
  };
  CHECK(outcome_of(Check::kProject) == Outcome::kNotApplicable);
  CHECK(outcome_of(Check::kLocation) == Outcome::kNotApplicable);
  CHECK(outcome_of(Check::kDenyList) == Outcome::kPassed);
  CHECK(outcome_of(Check::kSecureBoot) == Outcome::kPassed);
  CHECK(outcome_of(Check::kImageInUse) == Outcome::kPassed);
}
