#include "csctl/report/chain.h"

#include <algorithm>

#include "csctl/input/material.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/boot_log_writer.h"
#include "verifier/appraisal/tpm.h"
#include "verifier/reference/recording.h"
#include "verifier/reference/reference_values.h"

using csctl::Link;
using csctl::Logs;
using csctl::State;
using verifier::Check;
using verifier::Examination;
using verifier::ReferenceValues;

namespace {

constexpr base::WallTime kNow{std::chrono::hours(500000)};

Logs recorded_logs() { return Logs::of(csctl::Material::parse(test::recorded_boot_log(), "log")); }

const Link& link_named(const std::vector<Link>& chain, const std::string& name) {
  const auto found = std::ranges::find(chain, name, &Link::name);
  REQUIRE(found != chain.end());
  return *found;
}

std::vector<std::string> names_in(const std::vector<Link>& chain, State state) {
  std::vector<std::string> names;
  for (const Link& link : chain) {
    if (link.state == state) names.push_back(link.name);
  }
  return names;
}

/// The entry of the recorded machine, changed.
ReferenceValues values_with(const char* field, const base::Json& value) {
  verifier::ReferenceValue recorded = verifier::reference_value_of(measure::decode_boot_log(test::recorded_boot_log()));
  recorded.name = "image";
  base::Json entry = recorded.to_json();
  entry.erase("events");
  if (field != nullptr) entry[base::Json::json_pointer(field)] = value;
  return ReferenceValues::parse(base::Json{{"images", {entry}}}.dump(), "values");
}

/// Of the recorded machine, as it is when its TPM says so or, with `failed`, when a check has failed.
std::vector<Link> chain_with(const ReferenceValues& values, std::optional<Check> failed = {}) {
  const Logs logs = recorded_logs();
  const auto explanation = verifier::explain(values, verifier::unproven_machine(*logs.boot), kNow);
  Examination examination(Examination::Extent::kAll);
  examination.make(Check::kAkChain, [] {});
  if (failed) examination.make(*failed, []() -> bool { throw base::InvalidInput("something", "is wrong"); });
  return csctl::chain_of_machine({.examination = &examination, .appraisal = nullptr, .explanation = &explanation},
                                 logs);
}

base::Json claims(const char* swname, bool secboot) {
  return {{"iss", "https://verifier.example"},
          {"aud", "https://data.example"},
          {"swname", swname},
          {"secboot", secboot},
          {"dbgstat", "disabled-since-boot"},
          {"hwmodel", "GCP_AMD_SEV"},
          {"submods", {{"container", {{"image_digest", "sha256:aa"}, {"image_reference", "a/b:c"}}}}}};
}

}  // namespace

TEST_CASE("Every link of a known machine holds, but for what nothing tells of") {
  const auto chain = chain_with(values_with(nullptr, {}));
  CHECK(names_in(chain, State::kHolds) ==
        std::vector<std::string>{"TPM", "Firmware", "Keys", "Kernel", "Root", "Launcher"});
  CHECK(names_in(chain, State::kUnknown) == std::vector<std::string>{"Container"});
  CHECK_THAT(link_named(chain, "Launcher").what, StartsWith("image \"image\""));
}

TEST_CASE("What an entry states otherwise fails in its link, and then the launcher is none that is known") {
  const auto fails = [](const char* field, const base::Json& value) {
    return names_in(chain_with(values_with(field, value)), State::kFails);
  };
  using Names = std::vector<std::string>;
  const std::string other(64, 'a');
  CHECK(fails("/pcrs/sha256/0", other) == Names{"Firmware", "Launcher"});
  CHECK(fails("/pcrs/sha256/7", other) == Names{"Keys", "Launcher"});
  CHECK(fails("/pcrs/sha256/4", other) == Names{"Kernel", "Launcher"});
  CHECK(fails("/pcrs/sha256/11", other) == Names{"Kernel", "Launcher"});
  CHECK(fails("/pcrs/sha256/9", other) == Names{"Root", "Launcher"});
  CHECK(fails("/secure_boot_certificate_sha256", other) == Names{"Keys", "Launcher"});
  const auto chain = chain_with(values_with("/pcrs/sha256/7", other));
  REQUIRE(link_named(chain, "Keys").expectations.size() == 1);
  CHECK(link_named(chain, "Keys").expectations[0].field == "pcrs.sha256.7");
  CHECK(link_named(chain, "Keys").expectations[0].expected == other);
}

TEST_CASE("What an entry leaves out is not known, whatever else it states of the link") {
  verifier::ReferenceValue recorded = verifier::reference_value_of(measure::decode_boot_log(test::recorded_boot_log()));
  base::Json entry = recorded.to_json();
  entry["name"] = "image";
  entry.erase("events");
  entry.erase("secure_boot_certificate_sha256");
  entry.erase("unified_kernel_image_authenticode_sha256");
  entry.erase("kernel_command_line");
  base::Json& pcrs = entry["pcrs"]["sha256"];
  pcrs = {{"2", pcrs["2"]}, {"4", pcrs["4"]}, {"12", pcrs["12"]}};
  const auto chain = chain_with(ReferenceValues::parse(base::Json{{"images", {entry}}}.dump(), "values"));
  CHECK(names_in(chain, State::kFails).empty());
  CHECK(names_in(chain, State::kHolds) == std::vector<std::string>{"TPM", "Kernel", "Launcher"});
}

TEST_CASE("Without a TPM that is believed nothing holds") {
  const auto chain = chain_with(values_with(nullptr, {}), Check::kQuote);
  CHECK(names_in(chain, State::kFails) == std::vector<std::string>{"TPM"});
  CHECK(names_in(chain, State::kHolds).empty());
  CHECK(names_in(csctl::chain_of_machine({}, recorded_logs()), State::kUnknown).size() == 7);
}

TEST_CASE("A deprecated image is none to launch from") {
  const auto chain = chain_with(values_with("/deprecated", true));
  CHECK(link_named(chain, "Launcher").state == State::kFails);
  CHECK(names_in(chain, State::kHolds) == std::vector<std::string>{"TPM"});
}

TEST_CASE("Two logs are told apart link by link") {
  const Logs expected = recorded_logs();
  CHECK(names_in(csctl::chain_of_differences({}, expected, expected), State::kFails).empty());
  Logs found = recorded_logs();
  for (measure::BootEvent& event : found.boot->events) {
    if (event.pcr != 7) continue;
    event.digests = measure::DigestSet{measure::Digest::of(measure::HashAlgorithm::kSha256, {})};
    break;
  }
  Logs only_sha256 = recorded_logs();
  const auto differences = csctl::differences_between(only_sha256, found);
  REQUIRE_FALSE(differences.empty());
  const auto chain = csctl::chain_of_differences(differences, only_sha256, found);
  CHECK(names_in(chain, State::kFails) == std::vector<std::string>{"Keys"});
  CHECK(link_named(chain, "Kernel").state == State::kHolds);
  CHECK(link_named(chain, "Keys").expectations.size() == 1);
}

TEST_CASE("A token that is verified proves what it says, and one that is not proves nothing") {
  const auto known = csctl::chain_of_token(claims("CONFIDENTIAL_SPACE", true), State::kHolds);
  CHECK(names_in(known, State::kHolds).size() == 7);
  CHECK(names_in(known, State::kUnknown) == std::vector<std::string>{"Firmware"});
  CHECK(link_named(known, "Container").what == "a/b:c sha256:aa");
  CHECK(names_in(csctl::chain_of_token(claims("CONFIDENTIAL_SPACE", true), State::kUnknown), State::kHolds).empty());
  const auto forged = csctl::chain_of_token(claims("CONFIDENTIAL_SPACE", true), State::kFails);
  CHECK(names_in(forged, State::kFails) == std::vector<std::string>{"Token"});
  CHECK(names_in(forged, State::kHolds).empty());
}

TEST_CASE("A token of an unknown image says where the chain ends") {
  const auto chain = csctl::chain_of_token(claims("GCE", false), State::kHolds);
  CHECK(names_in(chain, State::kFails) == std::vector<std::string>{"Keys", "Kernel", "Root", "Launcher"});
  CHECK(link_named(chain, "Container").state == State::kUnknown);
  CHECK(link_named(chain, "Launcher").expectations.at(0).found == "GCE");
  CHECK(csctl::chain_of_token(base::Json::object(), State::kUnknown).size() == 8);
}

TEST_CASE("A claim is told whatever it is") {
  const base::Json odd = {{"aud", {"a", "b"}}, {"submods", "none"}};
  CHECK(csctl::claim_at(odd, "/aud") == R"(["a","b"])");
  CHECK(csctl::claim_at(odd, "/submods/container/image_digest").empty());
  CHECK(csctl::claim_at(base::Json("text"), "/aud").empty());
  CHECK(csctl::chain_of_token(odd, State::kHolds).size() == 8);
}
