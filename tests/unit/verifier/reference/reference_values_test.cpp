#include "verifier/reference/reference_values.h"

#include <algorithm>

#include "tests/unit/catch.h"
#include "tests/unit/verifier/reference/images.h"
#include "tests/unit/verifier/support/published_document.h"

using namespace test::images;  // NOLINT(google-build-using-namespace)

TEST_CASE("a deprecated entry that matches is no match, whatever else matches") {
  Json deprecated = entry();
  deprecated["name"] = "old";
  deprecated["deprecated"] = true;
  CHECK(parse(Json::array({entry(), deprecated})).find(machine(), kSomeTime) == nullptr);
  CHECK(parse(Json::array({deprecated, entry()})).find(machine(), kSomeTime) == nullptr);
  CHECK(parse(Json::array({entry()})).find(machine(), kSomeTime)->name == "image");
}

TEST_CASE("nothing that a sender can hide or change acquits a machine of a deprecated image") {
  // Beside it stands an entry that states less and matches the machine in each of these states.
  Json retired = unbooted_entry();
  retired["name"] = "old";
  retired["deprecated"] = true;
  const auto is_known = [&](const TpmMachine& appraisal) {
    REQUIRE(parse(Json::array({entry()})).find(appraisal, kSomeTime) != nullptr);
    return parse(Json::array({entry(), retired})).find(appraisal, kSomeTime) != nullptr;
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

TEST_CASE("entries of several files stand side by side, each name once") {
  Json other = unbooted_entry();
  other["name"] = "other";
  ReferenceValues values = ReferenceValues::parse(Json{{"images", {entry()}}}.dump(), "one.json");
  values.add(Json{{"images", {other}}}.dump(), "two.json");
  CHECK(values.size() == 2);
  CHECK(values.find(machine(), kSomeTime)->name == "image");
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

TEST_CASE("entries of publishers count until they expire, and never without a signature") {
  const test::DocumentSigner signer;
  const verifier::Publisher team("team", signer.public_pem(), "team.pem");
  const verifier::Publisher other("other", signer.public_pem(), "other.pem");
  const auto add = [&](ReferenceValues& values, const Json& document, const verifier::Publisher& publisher) {
    const std::string text = document.dump();
    values.add_published(text, signer.sign(text), publisher, "doc.json");
  };
  ReferenceValues values;
  Json document = test::published(7, Json::array({entry()}));
  document["expires"] = base::to_rfc3339(kSomeTime);
  add(values, document, team);
  SECTION("the entry tells where it stands") {
    const verifier::ReferenceValue* found = values.find(machine(), kSomeTime - std::chrono::seconds(1));
    REQUIRE(found != nullptr);
    CHECK(found->publication->publisher == "team");
    CHECK(found->publication->version == 7);
    CHECK(values.find(machine(), kSomeTime) == nullptr);
    REQUIRE(values.publications().size() == 1);
    CHECK(values.publications()[0] == found->publication);
  }
  SECTION("what is deprecated stays so") {
    Json retired = entry();
    retired["name"] = "old";
    retired["deprecated"] = true;
    Json with_retired = test::published(1, Json::array({retired}), "other");
    with_retired["expires"] = base::to_rfc3339(kSomeTime - std::chrono::hours(2));
    add(values, with_retired, other);
    CHECK(values.find(machine(), kSomeTime - std::chrono::hours(1)) == nullptr);
    REQUIRE(values.find_retired(machine()) != nullptr);
    CHECK(values.find_retired(machine())->name == "old");
  }
  SECTION("names are each publisher's own") {
    add(values, test::published(1, Json::array({entry()}), "other"), other);
    values.add(Json{{"images", {entry()}}}.dump(), "own.json");
    CHECK(values.size() == 3);
    CHECK_THROWS_WITH(add(values, test::published(8, Json::array({entry()})), team),
                      ContainsSubstring("\"image\" stands in doc.json already"));
  }
  SECTION("a document without a signature, or with more than there is to say, is refused") {
    const std::string text = test::published(8, Json::array()).dump();
    CHECK_THROWS_WITH(values.add_published(text, base::Bytes(64), team, "doc.json"),
                      "doc.json: is not signed by publisher \"team\"");
    CHECK_THROWS_WITH(add(values, test::published(8, Json::array(), "other"), team),
                      ContainsSubstring("doc.json.publisher: "));
    Json more = test::published(8, Json::array());
    more["more"] = 1;
    CHECK_THROWS_WITH(add(values, more, team), ContainsSubstring("doc.json.more: unknown field"));
    CHECK_THROWS_WITH(add(values, Json{{"publisher", "team"}, {"version", 1}}, team),
                      ContainsSubstring("doc.json.images: is missing"));
  }
}

TEST_CASE("a document whose signature nobody looked at says whose it is, or not") {
  ReferenceValues values;
  values.add_unproven(test::published(3, Json::array({entry()})).dump(), "published");
  values.add_unproven(Json{{"images", {unbooted_entry()}}}.dump(), "own");
  REQUIRE(values.size() == 2);
  CHECK(values.images()[0].publication->version == 3);
  CHECK(values.images()[1].publication == nullptr);
  CHECK(values.publications().size() == 1);
  CHECK_THROWS_AS(values.add_unproven(R"({"version": 3, "images": []})", "odd"), base::InvalidInput);
  CHECK_THROWS_WITH(values.add_unproven(R"({"publisher": "a b", "version": 3, "images": []})", "odd"),
                    "odd.publisher: is not 1 to 64 letters, digits, '-', '_' and '.'");
}
