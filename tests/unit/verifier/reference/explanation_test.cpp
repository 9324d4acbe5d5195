#include "verifier/reference/explanation.h"

#include "tests/unit/catch.h"
#include "tests/unit/verifier/reference/images.h"

using namespace test::images;  // NOLINT(google-build-using-namespace)
using verifier::Explanation;
using verifier::Standing;

namespace {

Explanation explain(const ReferenceValues& values, const TpmMachine& appraisal) {
  return verifier::explain(values, verifier::Machine(appraisal), kSomeTime);
}

/// The fields of the one entry that do not hold.
std::vector<std::string> fields_of(const Json& image, const TpmMachine& appraisal) {
  const ReferenceValues values = parse(Json::array({image}));
  std::vector<std::string> fields;
  for (const auto& deviation : explain(values, appraisal).deviations) fields.push_back(deviation.mismatch.field);
  return fields;
}

Json named(Json image, const char* name) {
  image["name"] = name;
  return image;
}

}  // namespace

TEST_CASE("A machine that an entry matches runs it") {
  const ReferenceValues values = parse(Json::array({entry()}));
  const Explanation explanation = explain(values, machine());
  CHECK(explanation.standing == Standing::kMatched);
  CHECK(explanation.sentence() == "it runs image \"image\"");
  CHECK(explanation.to_json() == Json{{"standing", "matched"}, {"entry", "image"}});
}

TEST_CASE("Where there are no entries nothing is known") {
  const ReferenceValues values = parse(Json::array());
  const Explanation explanation = explain(values, machine());
  CHECK(explanation.standing == Standing::kUnknown);
  CHECK(explanation.sentence() == "no image is known");
  CHECK(explanation.to_json() == Json{{"standing", "unknown"}});
}

TEST_CASE("A deprecated entry that may match is the reason") {
  Json image = entry();
  image["deprecated"] = true;
  const ReferenceValues values = parse(Json::array({image}));
  CHECK(explain(values, machine()).sentence() == "it may run image \"image\", which is deprecated");
}

TEST_CASE("A single change is told by the field that states it") {
  TpmMachine changed = unified_kernel_image_machine();
  Json image = unbooted_entry();
  image["pcrs"]["sha256"]["4"] = kPcr4;
  REQUIRE(fields_of(image, changed).empty());
  using Fields = std::vector<std::string>;
  auto& pcrs = changed.pcrs[HashAlgorithm::kSha256];
  SECTION("Secure Boot") {
    changed.boot.secure_boot = false;
    CHECK(fields_of(image, changed) == Fields{"secure_boot"});
  }
  SECTION("the command line") {
    changed.boot.load_options_digest = load_options_digest("loud");
    CHECK(fields_of(image, changed) == Fields{"kernel_command_line"});
  }
  SECTION("the certificate") {
    changed.boot.secure_boot_certificate->push_back(1);
    CHECK(fields_of(image, changed) == Fields{"secure_boot_certificate_sha256"});
  }
  SECTION("the unified kernel image") {
    changed.boot.boot_manager.only_application = base::Bytes(32, 1);
    CHECK(fields_of(image, changed) == Fields{"unified_kernel_image_authenticode_sha256"});
  }
  SECTION("a register that is stated") {
    pcrs[4][0] ^= 1U;
    CHECK(fields_of(image, changed) == Fields{"pcrs.sha256.4"});
  }
  SECTION("a driver, of which the entry says nothing") {
    pcrs[2] = base::Bytes(32, 7);
    CHECK(fields_of(image, changed) == Fields{"pcrs.sha256.2"});
  }
  SECTION("a command of GRUB's, of which the entry says nothing") {
    pcrs[8] = base::Bytes(32, 7);
    CHECK(fields_of(image, changed) == Fields{"pcrs.sha256.8"});
  }
  SECTION("parameters") {
    pcrs[12] = base::Bytes(32, 7);
    CHECK(fields_of(image, changed) == Fields{"pcrs.sha256.12"});
  }
  SECTION("a bank that is not quoted") {
    image["pcrs"]["sha384"]["4"] = std::string(96, 'a');
    CHECK(fields_of(image, changed) == Fields{"pcrs.sha384.4"});
  }
}

TEST_CASE("The nearest entry is the one of which the least does not hold") {
  Json far = named(entry(), "far");
  far["kernel_command_line"] = "loud";
  far["pcrs"]["sha256"]["4"] = std::string(64, 'f');
  Json near = named(entry(), "near");
  near["kernel_command_line"] = "loud";
  const ReferenceValues values = parse(Json::array({far, near, named(far, "further")}));
  const Explanation explanation = explain(values, machine());
  REQUIRE(explanation.standing == Standing::kNearest);
  CHECK(explanation.entry->name == "near");
  CHECK(explanation.sentence() == "image \"near\" is the nearest, but kernel_command_line: expected loud, found quiet");
}

TEST_CASE("An entry that nobody vouches for any more is the nearest only where there is no other") {
  Json retired = named(entry(), "retired");
  retired["deprecated"] = true;
  retired["pcrs"]["sha256"]["4"] = std::string(64, 'f');
  Json current = named(retired, "current");
  current["deprecated"] = false;
  current["kernel_command_line"] = "loud";
  const ReferenceValues both = parse(Json::array({retired, current}));
  CHECK(explain(both, machine()).entry->name == "current");
  const ReferenceValues one = parse(Json::array({retired}));
  CHECK(explain(one, machine()).entry->name == "retired");
}

TEST_CASE("A register's events name what is another one") {
  const measure::BootLog log = measure::decode_boot_log(test::recorded_boot_log());
  Json image = entry();
  image["pcrs"]["sha256"]["7"] = base::hex_encode(log.replay(HashAlgorithm::kSha256).at(7));
  for (const auto& [sha256, text] : verifier::reference_events_of(log, 7)) {
    image["events"]["7"].push_back({{"sha256", base::hex_encode(sha256)}, {"text", text}});
  }
  TpmMachine changed = machine();
  changed.log = log;
  measure::BootEvent& keys = changed.log.events.at(5);
  keys.data.back() ^= 1U;
  keys.digests.set(Digest::of(HashAlgorithm::kSha256, keys.data));
  changed.pcrs[HashAlgorithm::kSha256][7] = changed.log.replay(HashAlgorithm::kSha256).at(7);
  const ReferenceValues values = parse(Json::array({image}));
  const Explanation explanation = explain(values, changed);
  REQUIRE(explanation.deviations.size() == 1);
  CHECK(explanation.deviations[0].mismatch.field == "pcrs.sha256.7");
  REQUIRE(explanation.deviations[0].events.size() == 1);
  CHECK_THAT(explanation.deviations[0].events[0].expected, StartsWith("PK = CN = Confidential Space test PK"));
  CHECK_THAT(explanation.sentence(), StartsWith("image \"image\" is the nearest, but pcrs.sha256.7: expected PK = "));
}

TEST_CASE("What came into a register that is to be zero is named by its events") {
  const test::BootLogWriter writer = test::BootLogWriter().add(12, measure::boot_event::kIpl, "a credential");
  TpmMachine changed = machine();
  changed.log = writer.log();
  changed.pcrs[HashAlgorithm::kSha256][12] = base::Bytes(32, 1);
  Json stating = entry();
  stating["pcrs"]["sha256"]["12"] = kZeros;
  for (const Json& image : {stating, entry()}) {
    const ReferenceValues values = parse(Json::array({image}));
    const Explanation explanation = explain(values, changed);
    REQUIRE(explanation.deviations.size() == 1);
    CHECK(explanation.deviations[0].mismatch.field == "pcrs.sha256.12");
    REQUIRE(explanation.deviations[0].events.size() == 1);
    CHECK(explanation.deviations[0].events[0].expected.empty());
    CHECK_THAT(explanation.deviations[0].events[0].found, StartsWith("a credential"));
  }
}
