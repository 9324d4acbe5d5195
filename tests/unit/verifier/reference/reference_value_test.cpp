#include "verifier/reference/reference_value.h"

#include <algorithm>

#include "tests/unit/catch.h"
#include "tests/unit/verifier/reference/images.h"

using namespace test::images;  // NOLINT(google-build-using-namespace)

TEST_CASE("an entry matches when all that it states holds") {
  const auto matches = [](const Json& image, const TpmMachine& appraisal) {
    return parse(Json::array({image})).find(appraisal, kSomeTime) != nullptr;
  };
  CHECK(matches(entry(), machine()));
  SECTION("another PCR value") {
    TpmMachine other = machine();
    other.pcrs[HashAlgorithm::kSha256][4][0] ^= 1U;
    CHECK_FALSE(matches(entry(), other));
  }
  SECTION("a PCR that is not quoted") {
    TpmMachine other = machine();
    other.pcrs[HashAlgorithm::kSha256].erase(4);
    CHECK_FALSE(matches(entry(), other));
  }
  SECTION("a bank that is not quoted") {
    Json image = entry();
    image["pcrs"]["sha384"]["4"] = std::string(96, 'a');
    CHECK_FALSE(matches(image, machine()));
  }
  SECTION("no Secure Boot") {
    TpmMachine other = machine();
    other.boot.secure_boot = false;
    CHECK_FALSE(matches(entry(), other));
    Json image = entry();
    image.erase("secure_boot");
    CHECK(matches(image, machine()));
    CHECK_FALSE(matches(image, other));  // unless the entry itself says that there is none
    image["secure_boot"] = false;
    CHECK(matches(image, other));
    CHECK_FALSE(matches(image, machine()));
  }
  SECTION("a command line") {
    Json image = entry();
    image["kernel_command_line"] = "quiet\n";
    CHECK(matches(image, machine()));
    image["kernel_command_line"] = "loud";
    CHECK_FALSE(matches(image, machine()));
  }
}

TEST_CASE("what ran ahead of the image, and is not stated, makes the machine unknown") {
  const auto is_known = [](const Json& image, const TpmMachine& appraisal) {
    return parse(Json::array({image})).find(appraisal, kSomeTime) != nullptr;
  };
  Json image = GENERATE(entry(), unbooted_entry());
  TpmMachine appraisal = unified_kernel_image_machine();
  PcrValues& pcrs = appraisal.pcrs[HashAlgorithm::kSha256];
  REQUIRE(is_known(image, appraisal));
  SECTION("a driver") {
    pcrs[2] = base::Bytes(32, 2);
    CHECK_FALSE(is_known(image, appraisal));
    image["pcrs"]["sha256"]["2"] = base::hex_encode(pcrs[2]);
    CHECK(is_known(image, appraisal));
    pcrs[2] = separated();
    CHECK_FALSE(is_known(image, appraisal));
  }
  SECTION("a driver, in the place of a separator") {
    pcrs[2] = base::Bytes(32, 0);
    CHECK_FALSE(is_known(image, appraisal));
  }
  SECTION("a driver that is stated in another bank alone") {
    pcrs[2] = base::Bytes(32, 2);
    appraisal.pcrs[HashAlgorithm::kSha384] = {{2, base::Bytes(48, 0xaa)}};
    image["pcrs"]["sha384"]["2"] = std::string(96, 'a');
    CHECK_FALSE(is_known(image, appraisal));
  }
  SECTION("commands of GRUB") {
    pcrs[8] = base::Bytes(32, 8);
    CHECK_FALSE(is_known(image, appraisal));
    image["pcrs"]["sha256"]["8"] = base::hex_encode(pcrs[8]);
    CHECK(is_known(image, appraisal));
  }
  SECTION("credentials") {
    pcrs[12] = base::Bytes(32, 12);
    CHECK_FALSE(is_known(image, appraisal));
    image["pcrs"]["sha256"]["12"] = base::hex_encode(pcrs[12]);
    CHECK(is_known(image, appraisal));
  }
  SECTION("registers that were not quoted") {
    const std::uint32_t pcr = GENERATE(2U, 8U, 12U);
    pcrs.erase(pcr);
    CHECK_FALSE(is_known(image, appraisal));
  }
  SECTION("an application ahead of the firmware's call, or another after it came back") {
    image = unbooted_entry();
    image.erase("unified_kernel_image_authenticode_sha256");
    REQUIRE(is_known(image, appraisal));
    appraisal.boot.boot_manager.only_application.reset();
    CHECK_FALSE(is_known(image, appraisal));
    image["pcrs"]["sha256"]["4"] = kPcr4;
    CHECK(is_known(image, appraisal));
  }
}

TEST_CASE("PCR 4 may tell of boot options that were tried in vain") {
  TpmMachine appraisal = machine();
  const ReferenceValues values = parse(Json::array({entry()}));
  Json old = entry();
  old["name"] = "old";
  old["deprecated"] = true;
  const ReferenceValues retired = parse(Json::array({entry(), old}));
  appraisal.pcrs[HashAlgorithm::kSha256][4] = base::Bytes(32, 4);
  CHECK(values.find(appraisal, kSomeTime) == nullptr);
  appraisal.boot_manager_pcrs[HashAlgorithm::kSha256] = base::Bytes(32, 5);
  CHECK(values.find(appraisal, kSomeTime) == nullptr);
  appraisal.boot_manager_pcrs[HashAlgorithm::kSha256] = base::Bytes(32, 0xaa);
  CHECK(values.find(appraisal, kSomeTime) != nullptr);
  CHECK(retired.find(appraisal, kSomeTime) == nullptr);
  appraisal.boot_manager_pcrs = {{HashAlgorithm::kSha384, base::Bytes(32, 0xaa)}};
  CHECK(values.find(appraisal, kSomeTime) == nullptr);
}

TEST_CASE("an entry that was made without a boot matches when all that it states holds") {
  const ReferenceValues values = parse(Json::array({unbooted_entry()}));
  TpmMachine appraisal = unified_kernel_image_machine();
  REQUIRE(values.find(appraisal, kSomeTime) != nullptr);
  SECTION("another certificate") { appraisal.boot.secure_boot_certificate->push_back(0); }
  SECTION("more certificates, or none") { appraisal.boot.secure_boot_certificate.reset(); }
  SECTION("another image") { appraisal.boot.boot_manager.only_application->front() ^= 1U; }
  SECTION("a log that does not tell the image") { appraisal.boot.boot_manager.only_application.reset(); }
  SECTION("a digest of another bank") { appraisal.boot.bank = HashAlgorithm::kSha384; }
  SECTION("another root hash") { appraisal.boot.load_options_digest = load_options_digest("quiet roothash=d"); }
  SECTION("credentials") { appraisal.pcrs[HashAlgorithm::kSha256][12][31] = 1; }
  SECTION("PCR 12 not quoted") { appraisal.pcrs[HashAlgorithm::kSha256].erase(12); }
  SECTION("no Secure Boot") { appraisal.boot.secure_boot = false; }
  CHECK(values.find(appraisal, kSomeTime) == nullptr);
}
