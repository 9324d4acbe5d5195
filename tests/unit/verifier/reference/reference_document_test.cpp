#include "verifier/reference/reference_document.h"

#include <algorithm>

#include "tests/unit/catch.h"
#include "tests/unit/verifier/reference/images.h"

using namespace test::images;  // NOLINT(google-build-using-namespace)

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
  CHECK(refusal_for(true, {"USABLE"}) == "accepted");
  CHECK(refusal_for(true, {"EXPERIMENTAL"}) == "accepted");
  CHECK(refusal_for(false, Json::array()) == "accepted");
  for (const Json& attributes :
       {Json{"USABLE"}, Json{"EXPERIMENTAL"}, Json{"STABLE", "USABLE"}, Json{"LATEST", "STABLE", "USABLE"}}) {
    CHECK_THAT(refusal_for(false, attributes), ContainsSubstring(field + "attributes take hardened true"));
  }
  CHECK_THAT(refusal_for(true, {"LATEST"}), ContainsSubstring(field + "LATEST takes STABLE"));
  CHECK_THAT(refusal_for(true, {"LATEST", "USABLE"}), ContainsSubstring(field + "LATEST takes STABLE"));
  CHECK_THAT(refusal_for(true, {"STABLE"}), ContainsSubstring(field + "STABLE takes USABLE"));
  CHECK_THAT(refusal_for(true, {"LATEST", "STABLE"}), ContainsSubstring(field + "STABLE takes USABLE"));
  CHECK_THAT(refusal_for(true, {"EXPERIMENTAL", "USABLE"}), ContainsSubstring(field + "EXPERIMENTAL stands alone"));
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
    REQUIRE(values.find(unified_kernel_image_machine(), kSomeTime) != nullptr);
    CHECK(values.find(unified_kernel_image_machine(), kSomeTime)->to_json().at("packages") == packages);
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
