#include "verifier/reference/reference_values.h"

#include <algorithm>
#include <initializer_list>

#include "base/encoding.h"
#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/support.h"

namespace {

using base::Json;
using measure::Digest;
using measure::HashAlgorithm;
using measure::PcrValues;
using verifier::BootState;
using verifier::ReferenceValues;
using verifier::TpmMachine;

const std::string kPcr4(64, 'a');
const std::string kZeros(64, '0');
const std::string kImageDigest(64, 'b');
const std::string kRootHash(64, 'c');
const base::Bytes kCertificate = {0x30, 0x00};

Json entry() {
  return {{"name", "image"},     {"swversion", 260100},
          {"hardened", true},    {"support_attributes", {"STABLE", "USABLE"}},
          {"secure_boot", true}, {"pcrs", {{"sha256", {{"4", kPcr4}}}}}};
}

/// What an image build can say without having booted the image.
Json unbooted_entry() {
  return {{"name", "image"},
          {"swversion", 100},
          {"hardened", true},
          {"secure_boot", true},
          {"kernel_command_line", "quiet roothash=" + kRootHash},
          {"pcrs", {{"sha256", {{"12", kZeros}}}}},
          {"secure_boot_certificate_sha256", base::hex_encode(measure::hash(HashAlgorithm::kSha256, kCertificate))},
          {"unified_kernel_image_authenticode_sha256", kImageDigest},
          {"verity_root_hash", kRootHash}};
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

std::string refusal_without(Json image, std::initializer_list<const char*> keys) {
  for (const char* key : keys) image.erase(key);
  return refusal_of(image);
}

std::string unbooted_refusal_with(const char* key, const Json& value) {
  Json image = unbooted_entry();
  image[key] = value;
  return refusal_of(image);
}

/// A register whose only event is a separator.
base::Bytes separated() {
  return Digest::zero(HashAlgorithm::kSha256)
      .extended(Digest::of(HashAlgorithm::kSha256, base::view_of(test::kSeparator)))
      .to_bytes();
}

TpmMachine machine() {
  TpmMachine appraisal;
  appraisal.boot.secure_boot = true;
  appraisal.boot.kernel_command_line = "quiet";
  appraisal.pcrs[HashAlgorithm::kSha256] = {{2, separated()},
                                            {4, base::Bytes(32, 0xaa)},
                                            {5, base::Bytes(32, 1)},
                                            {8, base::Bytes(32, 0)},
                                            {12, base::Bytes(32, 0)}};
  return appraisal;
}

/// A command line of ASCII as the kernel's EFI stub measures it.
base::Bytes load_options_digest(const std::string& command_line) {
  std::string units;
  for (const char c : command_line + '\0') units += {c, '\0'};
  return measure::hash(HashAlgorithm::kSha256, base::view_of(units));
}

TpmMachine unified_kernel_image_machine() {
  TpmMachine appraisal = machine();
  BootState& boot = appraisal.boot;
  boot.kernel_command_line.reset();
  boot.load_options_digest = load_options_digest("quiet roothash=" + kRootHash);
  boot.loaded_digests = {*boot.load_options_digest};
  boot.secure_boot_certificate = kCertificate;
  boot.boot_manager.only_application = base::Bytes(32, 0xbb);
  boot.boot_manager.applications = {base::Bytes(32, 0xbb)};
  return appraisal;
}

}  // namespace

TEST_CASE("an entry matches when all that it states holds") {
  const auto matches = [](const Json& image, const TpmMachine& appraisal) {
    return parse(Json::array({image})).find(appraisal) != nullptr;
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
    return parse(Json::array({image})).find(appraisal) != nullptr;
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
  CHECK(values.find(appraisal) == nullptr);
  appraisal.boot_manager_pcrs[HashAlgorithm::kSha256] = base::Bytes(32, 5);
  CHECK(values.find(appraisal) == nullptr);
  appraisal.boot_manager_pcrs[HashAlgorithm::kSha256] = base::Bytes(32, 0xaa);
  CHECK(values.find(appraisal) != nullptr);
  CHECK(retired.find(appraisal) == nullptr);
  appraisal.boot_manager_pcrs = {{HashAlgorithm::kSha384, base::Bytes(32, 0xaa)}};
  CHECK(values.find(appraisal) == nullptr);
}

TEST_CASE("attributes that open policies are for images that deserve them") {
  const auto refusal_for = [](bool hardened, const Json& attributes) {
    Json image = entry();
    image["hardened"] = hardened;
    image["support_attributes"] = attributes;
    return refusal_of(image);
  };
  const std::string field = "values.images[0].support_attributes: of image \"image\": ";
  CHECK(refusal_for(true, {"LATEST", "STABLE", "USABLE"}) == "accepted");
  CHECK(refusal_for(true, {"STABLE", "USABLE"}) == "accepted");
  CHECK(refusal_for(true, {"STABLE"}) == "accepted");
  CHECK(refusal_for(true, {"USABLE"}) == "accepted");
  CHECK(refusal_for(true, {"EXPERIMENTAL"}) == "accepted");
  CHECK(refusal_for(false, Json::array()) == "accepted");
  CHECK(refusal_for(false, {"USABLE"}) == "accepted");
  CHECK(refusal_for(false, {"EXPERIMENTAL"}) == "accepted");
  CHECK_THAT(refusal_for(false, {"STABLE"}), ContainsSubstring(field + "STABLE takes hardened true"));
  CHECK_THAT(refusal_for(false, {"STABLE", "USABLE"}), ContainsSubstring(field + "STABLE takes hardened true"));
  CHECK_THAT(refusal_for(false, {"LATEST", "STABLE", "USABLE"}), ContainsSubstring(field));
  for (const Json& attributes : {Json{"LATEST"}, Json{"LATEST", "STABLE"}, Json{"LATEST", "USABLE"}}) {
    CHECK_THAT(refusal_for(true, attributes), ContainsSubstring(field + "LATEST takes STABLE and USABLE"));
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

TEST_CASE("nothing that a sender can hide or change acquits a machine of a deprecated image") {
  // Beside it stands an entry that states less and matches the machine in each of these states.
  Json retired = unbooted_entry();
  retired["name"] = "old";
  retired["deprecated"] = true;
  const auto is_known = [&](const TpmMachine& appraisal) {
    REQUIRE(parse(Json::array({entry()})).find(appraisal) != nullptr);
    return parse(Json::array({entry(), retired})).find(appraisal) != nullptr;
  };
  TpmMachine appraisal = unified_kernel_image_machine();
  BootState& boot = appraisal.boot;
  PcrValues& pcrs = appraisal.pcrs[HashAlgorithm::kSha256];
  REQUIRE_FALSE(is_known(appraisal));
  SECTION("a command line that can't be read") {
    boot.load_options_digest.reset();
    CHECK_FALSE(is_known(appraisal));
    boot.loaded_digests = {base::Bytes(32, 1)};
    CHECK(is_known(appraisal));
  }
  SECTION("a command line in GRUB's words, whatever they are") {
    boot.kernel_command_line = "another";
    boot.has_grub_events = true;
    boot.loaded_digests.clear();
    CHECK_FALSE(is_known(appraisal));
  }
  SECTION("a place in PCR 4 that tells nothing") {
    boot.boot_manager.applications.insert(boot.boot_manager.applications.begin(), base::Bytes(32, 1));
    boot.boot_manager.only_application.reset();
    CHECK_FALSE(is_known(appraisal));
    boot.boot_manager.applications.pop_back();
    CHECK(is_known(appraisal));
  }
  SECTION("a bank that was left out") {
    retired["pcrs"]["sha384"]["11"] = std::string(96, 'a');
    CHECK_FALSE(is_known(appraisal));
    appraisal.pcrs[HashAlgorithm::kSha384][11] = base::Bytes(48, 1);
    CHECK(is_known(appraisal));
  }
  SECTION("a register that was left out") {
    retired["pcrs"]["sha256"]["11"] = std::string(64, 'a');
    CHECK_FALSE(is_known(appraisal));
    pcrs[11] = base::Bytes(32, 1);
    CHECK(is_known(appraisal));
  }
  SECTION("what the entry does not state") {
    pcrs[5] = base::Bytes(32, 5);
    CHECK_FALSE(is_known(appraisal));
  }
  SECTION("what is proven does") {
    boot.secure_boot_certificate->push_back(0);
    CHECK(is_known(appraisal));
  }
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

TEST_CASE("an entry that was made without a boot matches when all that it states holds") {
  const ReferenceValues values = parse(Json::array({unbooted_entry()}));
  TpmMachine appraisal = unified_kernel_image_machine();
  REQUIRE(values.find(appraisal) != nullptr);
  SECTION("another certificate") { appraisal.boot.secure_boot_certificate->push_back(0); }
  SECTION("more certificates, or none") { appraisal.boot.secure_boot_certificate.reset(); }
  SECTION("another image") { appraisal.boot.boot_manager.only_application->front() ^= 1U; }
  SECTION("a log that does not tell the image") { appraisal.boot.boot_manager.only_application.reset(); }
  SECTION("a digest of another bank") { appraisal.boot.bank = HashAlgorithm::kSha384; }
  SECTION("another root hash") { appraisal.boot.load_options_digest = load_options_digest("quiet roothash=d"); }
  SECTION("credentials") { appraisal.pcrs[HashAlgorithm::kSha256][12][31] = 1; }
  SECTION("PCR 12 not quoted") { appraisal.pcrs[HashAlgorithm::kSha256].erase(12); }
  SECTION("no Secure Boot") { appraisal.boot.secure_boot = false; }
  CHECK(values.find(appraisal) == nullptr);
}

TEST_CASE("what identifies an image without a boot is parsed strictly") {
  CHECK(refusal_of(unbooted_entry()) == "accepted");
  for (const char* key :
       {"secure_boot_certificate_sha256", "unified_kernel_image_authenticode_sha256", "verity_root_hash"}) {
    const std::string field = "values.images[0]." + std::string(key);
    CHECK_THAT(unbooted_refusal_with(key, std::string(62, 'c')), ContainsSubstring(field + ": is no SHA-256 digest"));
    CHECK_THAT(unbooted_refusal_with(key, std::string(66, 'c')), ContainsSubstring(field + ": is no SHA-256 digest"));
    CHECK_THAT(unbooted_refusal_with(key, std::string(63, 'c')), ContainsSubstring(field));
    CHECK_THAT(unbooted_refusal_with(key, std::string(64, 'g')), ContainsSubstring(field));
    CHECK_THAT(unbooted_refusal_with(key, ""), ContainsSubstring(field));
    CHECK_THAT(unbooted_refusal_with(key, 1), ContainsSubstring(field));
  }
  CHECK_THAT(unbooted_refusal_with("pcrs", {{"sha256", {{"12", kZeros}, {"13", kZeros}}}}),
             ContainsSubstring("PCR 13"));
  Json image = entry();
  image["secure_boot_certificate_sha256"] = std::string(64, 'd');
  CHECK(refusal_of(image) == "accepted");
  image["secure_boot"] = false;
  CHECK_THAT(refusal_of(image), ContainsSubstring("secure_boot_certificate_sha256: takes secure_boot true"));
  CHECK_THAT(refusal_without(image, {"secure_boot"}), ContainsSubstring("takes secure_boot true"));
}

TEST_CASE("a root hash must be the command line's") {
  const std::string word = "roothash=" + kRootHash;
  const std::string other = std::string(63, 'c') + "d";
  const auto refusal_for = [](const std::string& command_line) {
    return unbooted_refusal_with("kernel_command_line", command_line);
  };
  for (const std::string& command_line :
       {word, word + " quiet", "quiet\t" + word + "\n", "quiet  " + word + "  ", "rd." + word,
        "roothash=" + std::string(64, 'C'), word + " xroothash=" + other, word + " usrhash=" + other}) {
    CHECK(refusal_for(command_line) == "accepted");
  }
  const std::string field = "values.images[0].verity_root_hash: ";
  CHECK_THAT(refusal_for("quiet"), ContainsSubstring(field + "takes a kernel_command_line with exactly one"));
  CHECK_THAT(refusal_for(""), ContainsSubstring(field + "takes a kernel_command_line with exactly one"));
  CHECK_THAT(refusal_for("x" + word), ContainsSubstring(field + "takes a kernel_command_line with exactly one"));
  CHECK_THAT(refusal_for(word + " " + word), ContainsSubstring(field + "takes a kernel_command_line with exactly one"));
  CHECK_THAT(refusal_for(word + " rd.roothash=" + other), ContainsSubstring("exactly one"));
  CHECK_THAT(refusal_for("roothash=" + other), ContainsSubstring(field + "is not the roothash="));
  CHECK_THAT(refusal_for("roothash="), ContainsSubstring(field + "is not the roothash="));
  CHECK_THAT(refusal_for(word + "00"), ContainsSubstring(field + "is not the roothash="));
  CHECK_THAT(refusal_for(word + ","), ContainsSubstring(field));
  CHECK_THAT(refusal_without(unbooted_entry(), {"kernel_command_line"}),
             ContainsSubstring(field + "takes a kernel_command_line with roothash="));
}

TEST_CASE("a list of packages is kept, and decides nothing") {
  for (const Json& packages :
       {Json("packages.json"), Json{{"systemd", "257.9-1"}, {"linux", "6.12"}}, Json::object()}) {
    Json image = unbooted_entry();
    image["packages"] = packages;
    const ReferenceValues values = parse(Json::array({image}));
    REQUIRE(values.find(unified_kernel_image_machine()) != nullptr);
    CHECK(values.find(unified_kernel_image_machine())->to_json().at("packages") == packages);
  }
  CHECK_THAT(unbooted_refusal_with("packages", 1), ContainsSubstring("values.images[0].packages: is neither"));
  CHECK_THAT(unbooted_refusal_with("packages", {"systemd"}),
             ContainsSubstring("values.images[0].packages: is neither"));
  CHECK_THAT(unbooted_refusal_with("packages", {{"systemd", 257}}),
             ContainsSubstring("values.images[0].packages.systemd"));
}

TEST_CASE("an entry must state what only one image measures") {
  const char* certificate = "secure_boot_certificate_sha256";
  const char* image_digest = "unified_kernel_image_authenticode_sha256";
  SECTION("PCR 4 is enough") {
    CHECK(refusal_without(entry(), {"secure_boot", "support_attributes"}) == "accepted");
    CHECK_THAT(refusal_with("pcrs", {{"sha256", {{"4", kZeros}}}}), ContainsSubstring("nothing that tells an image"));
    CHECK_THAT(refusal_with("pcrs", {{"sha384", {{"4", std::string(96, 'a')}}}}),
               ContainsSubstring("nothing that tells an image"));
  }
  SECTION("nothing") {
    CHECK_THAT(refusal_without(entry(), {"pcrs"}), ContainsSubstring("nothing that tells an image"));
    CHECK_THAT(refusal_with("pcrs", Json::object()), ContainsSubstring("nothing that tells an image"));
    CHECK_THAT(refusal_with("pcrs", {{"sha256", {{"0", kPcr4}, {"7", kPcr4}, {"12", kZeros}}}}),
               ContainsSubstring("nothing that tells an image"));
    CHECK_THAT(refusal_with("pcrs", {{"sha256", {{"7", kPcr4}, {"8", kZeros}, {"11", kZeros}, {"12", kZeros}}}}),
               ContainsSubstring("nothing that tells an image"));
  }
  SECTION("without PCR 4 it takes the image, Secure Boot, its keys and PCR 12") {
    CHECK(refusal_without(unbooted_entry(), {image_digest}) == "accepted");
    CHECK(refusal_without(unbooted_entry(), {"kernel_command_line", "verity_root_hash"}) == "accepted");
    CHECK_THAT(refusal_without(unbooted_entry(), {"kernel_command_line", "verity_root_hash", image_digest}),
               ContainsSubstring("nothing that tells an image"));
    CHECK_THAT(refusal_without(unbooted_entry(), {"secure_boot", certificate}),
               ContainsSubstring("neither PCR 4 nor secure_boot true"));
    CHECK_THAT(refusal_without(unbooted_entry(), {certificate}), ContainsSubstring("nor whose keys"));
    CHECK_THAT(refusal_without(unbooted_entry(), {"pcrs", image_digest}), ContainsSubstring("nor PCR 12"));
    for (const char* pcr : {"8", "9", "11"}) {
      const Json pcrs = {{"sha256", {{"7", kPcr4}, {pcr, kPcr4}, {"12", kZeros}}}};
      CHECK(refusal_with("pcrs", pcrs) == "accepted");
    }
  }
  SECTION("the digest of a unified kernel image takes PCR 12, beside PCR 4 too") {
    CHECK_THAT(refusal_without(unbooted_entry(), {"pcrs"}),
               ContainsSubstring("values.images[0].pcrs.sha256: lacks PCR 12"));
    CHECK_THAT(unbooted_refusal_with("pcrs", {{"sha256", {{"4", kPcr4}}}}), ContainsSubstring("lacks PCR 12"));
    CHECK(unbooted_refusal_with("pcrs", {{"sha256", {{"4", kPcr4}, {"12", kZeros}}}}) == "accepted");
  }
}

TEST_CASE("entries of several files stand side by side, each name once") {
  Json other = unbooted_entry();
  other["name"] = "other";
  ReferenceValues values = ReferenceValues::parse(Json{{"images", {entry()}}}.dump(), "one.json");
  values.add(Json{{"images", {other}}}.dump(), "two.json");
  CHECK(values.size() == 2);
  CHECK(values.find(machine())->name == "image");
  CHECK_THROWS_WITH(values.add(Json{{"images", {other}}}.dump(), "three.json"),
                    ContainsSubstring("three.json.images[0].name: \"other\" stands in two.json already"));
  CHECK_THROWS_WITH(values.add("{", "four.json"), ContainsSubstring("four.json"));
}

TEST_CASE("a file of nothing but deprecated images is known") {
  const auto image = [](const char* name, bool deprecated) {
    Json value = entry();
    value["name"] = name;
    value["deprecated"] = deprecated;
    return value;
  };
  ReferenceValues values = ReferenceValues::parse(Json{{"images", {image("a", true), image("b", false)}}}.dump(), "1");
  values.add(Json{{"images", {image("c", true), image("d", true)}}}.dump(), "2");
  values.add(R"({"images":[]})", "3");
  CHECK(values.retired_subjects() == std::vector<std::string>{"2"});
}

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
  REQUIRE(values.find(appraisal) != nullptr);
  CHECK(values.find(appraisal)->to_json() == value.to_json());
  CHECK(value.pcrs.at(HashAlgorithm::kSha256).contains(11));
  CHECK_FALSE(value.pcrs.at(HashAlgorithm::kSha256).contains(1));
  CHECK(value.secure_boot_certificate_sha256);
  CHECK(value.unified_kernel_image_authenticode_sha256);
  SECTION("the machine's own configuration may differ") {
    appraisal.pcrs[HashAlgorithm::kSha256][1][0] ^= 1U;
    CHECK(values.find(appraisal) != nullptr);
  }
  SECTION("an override that the image does not have may not") {
    appraisal.pcrs[HashAlgorithm::kSha256][12][0] ^= 1U;
    CHECK(values.find(appraisal) == nullptr);
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
