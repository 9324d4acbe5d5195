#include "verifier/reference_values.h"

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/support.h"

namespace {

using base::Json;
using measure::HashAlgorithm;
using verifier::Appraisal;
using verifier::ReferenceValues;

const std::string kPcr4(64, 'a');

Json entry() {
  return {{"name", "image"},     {"swversion", 260100},
          {"hardened", true},    {"support_attributes", {"STABLE", "USABLE"}},
          {"secure_boot", true}, {"pcrs", {{"sha256", {{"4", kPcr4}}}}}};
}

ReferenceValues parse(const Json& images) { return ReferenceValues::parse(Json{{"images", images}}.dump(), "values"); }

std::string refusal_of(const Json& image) {
  try {
    parse(Json::array({image}));
    return "accepted";
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

std::string refusal_with(const char* key, const Json& value) {
  Json image = entry();
  image[key] = value;
  return refusal_of(image);
}

Appraisal machine() {
  Appraisal appraisal;
  appraisal.boot.secure_boot = true;
  appraisal.boot.kernel_command_line = "quiet";
  appraisal.pcrs[HashAlgorithm::kSha256] = {{4, base::Bytes(32, 0xaa)}, {5, base::Bytes(32, 1)}};
  return appraisal;
}

}  // namespace

TEST_CASE("an entry matches when all that it states holds") {
  const auto matches = [](const Json& image, const Appraisal& appraisal) {
    return parse(Json::array({image})).find(appraisal) != nullptr;
  };
  CHECK(matches(entry(), machine()));
  SECTION("another PCR value") {
    Appraisal other = machine();
    other.pcrs[HashAlgorithm::kSha256][4][0] ^= 1U;
    CHECK_FALSE(matches(entry(), other));
  }
  SECTION("a PCR that is not quoted") {
    Appraisal other = machine();
    other.pcrs[HashAlgorithm::kSha256].erase(4);
    CHECK_FALSE(matches(entry(), other));
  }
  SECTION("a bank that is not quoted") {
    Json image = entry();
    image["pcrs"]["sha384"]["4"] = std::string(96, 'a');
    CHECK_FALSE(matches(image, machine()));
  }
  SECTION("no Secure Boot") {
    Appraisal other = machine();
    other.boot.secure_boot = false;
    CHECK_FALSE(matches(entry(), other));
    Json silent = entry();
    silent.erase("secure_boot");
    CHECK(matches(silent, other));
  }
  SECTION("a command line") {
    Json image = entry();
    image["kernel_command_line"] = "quiet\n";
    CHECK(matches(image, machine()));
    image.erase("pcrs");
    CHECK(matches(image, machine()));
    image["kernel_command_line"] = "loud";
    CHECK_FALSE(matches(image, machine()));
  }
}

TEST_CASE("a deprecated entry that matches is no match, whatever else matches") {
  Json deprecated = entry();
  deprecated["name"] = "old";
  deprecated["deprecated"] = true;
  CHECK(parse(Json::array({entry(), deprecated})).find(machine()) == nullptr);
  CHECK(parse(Json::array({deprecated, entry()})).find(machine()) == nullptr);
  CHECK(parse(Json::array({entry()})).find(machine())->name == "image");
}

TEST_CASE("a file of reference values is parsed strictly") {
  CHECK(refusal_of(entry()) == "accepted");
  CHECK(ReferenceValues::parse(R"({"images":[]})", "values").size() == 0);
  CHECK_THROWS_WITH(ReferenceValues::parse("{}", "values"), ContainsSubstring("values.images"));
  CHECK_THROWS_WITH(parse(Json::array({entry(), entry()})), ContainsSubstring("values.images[1].name"));
  CHECK_THAT(refusal_with("colour", "red"), ContainsSubstring("values.images[0].colour: unknown field"));
  CHECK_THAT(refusal_with("name", ""), ContainsSubstring("values.images[0].name"));
  CHECK_THAT(refusal_with("swversion", "260100"), ContainsSubstring("values.images[0].swversion"));
  CHECK_THAT(refusal_with("hardened", nullptr), ContainsSubstring("values.images[0].hardened: is missing"));
  CHECK_THAT(refusal_with("support_attributes", {"NEWEST"}), ContainsSubstring("unknown attribute"));
  CHECK_THAT(refusal_with("support_attributes", {"LATEST", "LATEST"}), ContainsSubstring("stands twice"));
  CHECK_THAT(refusal_with("pcrs", {{"sha256", Json::object()}}), ContainsSubstring("values.images[0].pcrs.sha256"));
  CHECK_THAT(refusal_with("pcrs", {{"sha1", {{"4", std::string(40, 'a')}}}}), ContainsSubstring("prove nothing"));
  CHECK_THAT(refusal_with("pcrs", {{"md5", {{"4", "aa"}}}}), ContainsSubstring("no PCR bank"));
  CHECK_THAT(refusal_with("pcrs", {{"sha256", {{"4", "aa"}}}}), ContainsSubstring("values.images[0].pcrs.sha256.4"));
  CHECK_THAT(refusal_with("pcrs", {{"sha256", {{"04", kPcr4}}}}), ContainsSubstring("no PCR index"));
  CHECK_THAT(refusal_with("pcrs", {{"sha256", {{"24", kPcr4}}}}), ContainsSubstring("no PCR index"));
  CHECK_THAT(refusal_with("pcrs", {{"sha256", {{"13", kPcr4}}}}), ContainsSubstring("PCR 13"));
}

TEST_CASE("an entry must state something that identifies an image") {
  Json image = entry();
  image.erase("pcrs");
  CHECK_THAT(refusal_of(image), ContainsSubstring("neither pcrs nor a kernel_command_line"));
  image["pcrs"] = Json::object();
  CHECK_THAT(refusal_of(image), ContainsSubstring("neither pcrs nor a kernel_command_line"));
  image["kernel_command_line"] = "quiet";
  CHECK(refusal_of(image) == "accepted");
  image.erase("secure_boot");
  CHECK_THAT(refusal_of(image), ContainsSubstring("takes secure_boot true"));
}

TEST_CASE("the entry of a recorded boot matches that boot and survives its file") {
  const auto log = measure::decode_boot_log(test::recorded_boot_log());
  auto value = verifier::reference_value_of(log);
  value.name = "recorded";
  const auto values = parse(Json::array({value.to_json()}));
  Appraisal appraisal;
  appraisal.boot = verifier::extract_boot_state(log, HashAlgorithm::kSha256);
  appraisal.pcrs[HashAlgorithm::kSha256] = log.replay(HashAlgorithm::kSha256);
  for (std::uint32_t pcr = 0; pcr < 24; ++pcr) {
    appraisal.pcrs[HashAlgorithm::kSha256].try_emplace(pcr, base::Bytes(32, 0));
  }
  REQUIRE(values.find(appraisal) != nullptr);
  CHECK(values.find(appraisal)->to_json() == value.to_json());
  CHECK(value.pcrs.at(HashAlgorithm::kSha256).contains(11));
  CHECK_FALSE(value.pcrs.at(HashAlgorithm::kSha256).contains(1));
  SECTION("the machine's own configuration may differ") {
    appraisal.pcrs[HashAlgorithm::kSha256][1][0] ^= 1U;
    CHECK(values.find(appraisal) != nullptr);
  }
  SECTION("an override that the image does not have may not") {
    appraisal.pcrs[HashAlgorithm::kSha256][12][0] ^= 1U;
    CHECK(values.find(appraisal) == nullptr);
  }
}
