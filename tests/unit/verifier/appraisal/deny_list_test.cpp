#include "verifier/appraisal/deny_list.h"

#include "base/error.h"
#include "evidence/refusal.h"
#include "tests/unit/catch.h"

namespace {

using verifier::DenyList;

const std::string kKey = std::string(62, '0') + "ab";

std::string refusal_reason(const DenyList& list) {
  verifier::Appraisal appraisal;
  appraisal.identity.instance_id = 678;
  appraisal.attestation_key_sha256 = kKey;
  try {
    list.check(appraisal);
    return "admitted";
  } catch (const evidence::Refusal& refusal) {
    return refusal.reason();
  }
}

std::string list_error(const std::string& json) {
  try {
    DenyList::parse(json, "denied.json");
    return "parsed";
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("machines are denied by their number or their attestation key") {
  CHECK(refusal_reason(DenyList()) == "admitted");
  CHECK(refusal_reason(DenyList::parse("{}", "list")) == "admitted");
  CHECK(refusal_reason(DenyList::parse(R"({"instance_ids": ["1", "678"]})", "list")) == "INSTANCE_DENIED");
  CHECK(refusal_reason(DenyList::parse(R"({"instance_ids": ["6789", "67"]})", "list")) == "admitted");
  const std::string upper = std::string(62, '0') + "AB";
  CHECK(refusal_reason(DenyList::parse(R"({"attestation_keys": [")" + upper + "\"]}", "list")) ==
        "ATTESTATION_KEY_DENIED");
}

TEST_CASE("a deny list that could deny nobody is an error that names the entry") {
  CHECK(list_error(R"({"instance_ids": ["0678"]})") == "denied.json.instance_ids: \"0678\" is no instance's number");
  CHECK(list_error(R"({"instance_ids": ["my-instance"]})") ==
        "denied.json.instance_ids: \"my-instance\" is no instance's number");
  CHECK(list_error(R"({"attestation_keys": ["abcd"]})") == "denied.json.attestation_keys[0]: is no SHA-256 digest");
  CHECK_THAT(list_error(R"({"attestation_keys": [")" + std::string(64, 'a') + R"(", "x"]})"),
             ContainsSubstring("denied.json.attestation_keys[1]"));
  CHECK(list_error(R"({"keys": []})") == "denied.json.keys: unknown field");
  CHECK_THAT(list_error("["), ContainsSubstring("denied.json"));
}
