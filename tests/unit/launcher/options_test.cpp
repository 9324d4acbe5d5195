#include "launcher/options.h"

#include "tests/unit/catch.h"

namespace {

std::optional<launcher::Options> parse(std::vector<const char*> arguments, int& exit_code) {
  arguments.insert(arguments.begin(), "cs-launcher");
  return launcher::parse_options(static_cast<int>(arguments.size()), arguments.data(), exit_code);
}

}  // namespace

TEST_CASE("the defaults are those of a Confidential Space machine") {
  int exit_code = -1;
  const auto options = parse({}, exit_code);
  REQUIRE(options);
  CHECK_FALSE(options->metadata_file);
  CHECK(options->tcti == "device:/dev/tpmrm0");
  CHECK(options->runtime_directory == "/run/container_launcher");
  CHECK(options->verifier == "https://confidentialcomputing.googleapis.com");
  CHECK(options->attestation_key.certificate == attest::kEccKeyIndices.certificate);
}

TEST_CASE("options are taken, and wrong ones are not") {
  int exit_code = -1;
  const auto options =
      parse({"--metadata-file", "/m.json", "--attestation-key", "rsa", "--log-level", "debug", "--verifier-ca", "/ca"},
            exit_code);
  REQUIRE(options);
  CHECK(options->metadata_file == "/m.json");
  CHECK(options->attestation_key.certificate == attest::kRsaKeyIndices.certificate);
  CHECK(options->log_level == base::log::Level::kDebug);
  CHECK(options->verifier_ca == "/ca");
  CHECK_FALSE(parse({"--no-such-option"}, exit_code));
  CHECK(exit_code != 0);
  CHECK_FALSE(parse({"--attestation-key", "dsa"}, exit_code));
  CHECK_FALSE(parse({"--help"}, exit_code));
  CHECK(exit_code == 0);
}
