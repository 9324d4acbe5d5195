#include "verifier/service/knowledge.h"

#include <fstream>

#include <openssl/pem.h>

#include "base/error.h"
#include "base/private_directory.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/support/machine.h"
#include "tests/unit/verifier/support/published_document.h"

using verifier::Config;
using verifier::Knowledge;

namespace {

Config config_in(const std::filesystem::path& folder) {
  Config config;
  config.issuer = "https://verifier.example";
  config.state_directory = folder / "state";
  config.attestation_roots = {{folder / "root.pem", test::kSoftwareTpm}};
  config.reference_values = {folder / "values.json"};
  std::ofstream(config.reference_values[0]) << R"({"images":[]})";
  const auto authority = vtpm::CertificateAuthority::open(folder / "ca");
  const base::BioPtr pem(BIO_new_file(config.attestation_roots[0].file.c_str(), "w"));
  PEM_write_bio_X509(pem.get(), &authority.certificate());
  return config;
}

std::string failure_of(const Config& config) {
  try {
    (void)Knowledge::load(config);
    return "loaded";
  } catch (const base::Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("what is wrong with files is told of each") {
  const base::PrivateDirectory directory("cs-test");
  Config config = config_in(directory.path());
  CHECK(verifier::troubles_with_files(config).empty());
  config.attestation_roots.push_back({directory.path() / "no-root.pem", test::kSoftwareTpm});
  config.reference_values.push_back(directory.path() / "no-values.json");
  config.reference_publishers = {{.name = "team", .keys = directory.path() / "no-team.pem", .document = "no.json"}};
  config.identity_token_issuers = {{"https://accounts.example", directory.path() / "no-jwks.json"}};
  config.deny_list = directory.path() / "no-denied.json";
  const auto troubles = verifier::troubles_with_files(config);
  REQUIRE(troubles.size() == 5);
  const std::vector<std::string> files = {"no-root.pem", "no-values.json", "no-team.pem", "no-jwks.json",
                                          "no-denied.json"};
  for (std::size_t i = 0; i < files.size(); ++i) CHECK_THAT(troubles[i], ContainsSubstring(files[i]));
}

TEST_CASE("every file that the configuration names is read, and an error names it") {
  const base::PrivateDirectory directory("cs-test");
  Config config = config_in(directory.path());
  CHECK(failure_of(config) == "loaded");
  SECTION("a root") {
    std::ofstream(config.attestation_roots[0].file) << "no PEM";
    CHECK_THAT(failure_of(config), ContainsSubstring("root.pem"));
  }
  SECTION("reference values") {
    std::ofstream(config.reference_values[0]) << "{";
    CHECK_THAT(failure_of(config), ContainsSubstring("values.json"));
  }
  SECTION("an issuer's keys") {
    config.identity_token_issuers = {{"https://accounts.example", directory.path() / "jwks.json"}};
    CHECK_THAT(failure_of(config), ContainsSubstring("jwks.json"));
  }
  SECTION("what a publisher has signed") {
    const test::DocumentSigner signer;
    const std::string document = test::published(3, base::Json::array()).dump();
    const auto write = [&](const char* name, std::string_view content) {
      std::ofstream(directory.path() / name) << content;
    };
    config.reference_publishers = {
        {.name = "team", .keys = directory.path() / "team.pem", .document = directory.path() / "team.json"}};
    write("team.pem", signer.public_pem());
    write("team.json", document);
    CHECK_THAT(failure_of(config), ContainsSubstring("team.json.sig"));
    write("team.json.sig", base::text_of(signer.sign(document)));
    CHECK(failure_of(config) == "loaded");
    write("team.json", document + "\n");
    CHECK_THAT(failure_of(config), ContainsSubstring("team.json: is not signed by publisher \"team\""));
    write("team.pem", "no key");
    CHECK_THAT(failure_of(config), ContainsSubstring("team.pem: from line 1 on: not public keys in PEM"));
  }
  SECTION("a deny list") {
    config.deny_list = directory.path() / "denied.json";
    std::ofstream(*config.deny_list) << R"({"instance_ids": ["678"]})";
    CHECK(failure_of(config) == "loaded");
    std::ofstream(*config.deny_list) << R"({"instances": ["678"]})";
    CHECK_THAT(failure_of(config), ContainsSubstring("denied.json.instances: unknown field"));
  }
}
