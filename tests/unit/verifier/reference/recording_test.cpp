#include "verifier/reference/recording.h"

#include <algorithm>

#include "tests/unit/catch.h"
#include "tests/unit/verifier/reference/images.h"

using namespace test::images;  // NOLINT(google-build-using-namespace)

TEST_CASE("the entry of a recorded boot matches that boot and survives its file") {
  const auto log = measure::decode_boot_log(test::recorded_boot_log());
  auto value = verifier::reference_value_of(log);
  value.name = "recorded";
  const auto values = parse(Json::array({value.to_json()}));
  TpmMachine appraisal;
  appraisal.boot = verifier::extract_boot_state(log, HashAlgorithm::kSha256);
  appraisal.pcrs[HashAlgorithm::kSha256] = log.replay(HashAlgorithm::kSha256);
  for (std::uint32_t pcr = 0; pcr < 24; ++pcr) {
    appraisal.pcrs[HashAlgorithm::kSha256].try_emplace(pcr, base::Bytes(32, 0));
  }
  REQUIRE(values.find(appraisal, kSomeTime) != nullptr);
  CHECK(values.find(appraisal, kSomeTime)->to_json() == value.to_json());
  CHECK(value.pcrs.at(HashAlgorithm::kSha256).contains(11));
  CHECK_FALSE(value.pcrs.at(HashAlgorithm::kSha256).contains(1));
  CHECK(value.secure_boot_certificate_sha256);
  CHECK(value.unified_kernel_image_authenticode_sha256);
  SECTION("the machine's own configuration may differ") {
    appraisal.pcrs[HashAlgorithm::kSha256][1][0] ^= 1U;
    CHECK(values.find(appraisal, kSomeTime) != nullptr);
  }
  SECTION("an override that the image does not have may not") {
    appraisal.pcrs[HashAlgorithm::kSha256][12][0] ^= 1U;
    CHECK(values.find(appraisal, kSomeTime) == nullptr);
  }
}

TEST_CASE("a boot loader's digest is not passed off as a unified kernel image's") {
  auto log = measure::decode_boot_log(test::recorded_boot_log());
  CHECK(verifier::reference_value_of(log).unified_kernel_image_authenticode_sha256);
  SECTION("it starts the image itself") {
    log.events.push_back(
        *std::ranges::find(log.events, measure::boot_event::kEfiBootServicesApplication, &measure::BootEvent::type));
  }
  SECTION("it is GRUB") {
    log.events.push_back(*std::ranges::find(log.events, 11U, &measure::BootEvent::pcr));
    log.events.back().pcr = 8;
  }
  SECTION("there is none") {
    std::erase_if(log.events, [](const auto& event) { return event.pcr == 11; });
  }
  CHECK_FALSE(verifier::reference_value_of(log).unified_kernel_image_authenticode_sha256);
}
