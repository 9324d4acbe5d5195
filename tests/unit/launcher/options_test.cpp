#include "launcher/options.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>

#include "tests/unit/catch.h"
#include "tests/unit/support/temporary_directory.h"

namespace {

std::optional<launcher::Options> parse(std::vector<const char*> arguments, int& exit_code,
                                       const std::optional<std::filesystem::path>& credentials = {}) {
  arguments.insert(arguments.begin(), "cs-launcher");
  return launcher::parse_options(static_cast<int>(arguments.size()), arguments.data(), credentials, exit_code);
}

/// What the program prints to standard error, as long as this lives.
class StandardError {
 public:
  StandardError() : before_(std::cerr.rdbuf(text_.rdbuf())) {}
  StandardError(const StandardError&) = delete;
  StandardError& operator=(const StandardError&) = delete;
  ~StandardError() { std::cerr.rdbuf(before_); }

  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::streambuf* before_;
};

/// The folder that systemd gives a service.
struct Credentials {
  test::TemporaryDirectory folder;

  std::filesystem::path write(const char* name, const std::string& content) const {
    std::ofstream(folder.path() / name) << content;
    return folder.path() / name;
  }

  std::optional<launcher::Options> parse(std::vector<const char*> arguments = {}) const {
    int exit_code = 0;
    return ::parse(std::move(arguments), exit_code, folder.path());
  }

  /// One line that names the file and tells the reason.
  void expect_refused(const std::string& content, const std::string& reason) const {
    const std::filesystem::path file = write(launcher::kConfigCredential, content);
    const StandardError standard_error;
    int exit_code = 0;
    CHECK_FALSE(::parse({}, exit_code, folder.path()));
    CHECK(exit_code > 100);
    INFO(standard_error.text());
    CHECK_THAT(standard_error.text(), ContainsSubstring("cs-launcher: " + file.string() + ": "));
    CHECK_THAT(standard_error.text(), ContainsSubstring(reason));
    CHECK(std::ranges::count(standard_error.text(), '\n') == 1);
  }
};

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

TEST_CASE("a machine is checked, and services are waited for, as long as the options say") {
  int exit_code = -1;
  CHECK_FALSE(parse({}, exit_code)->check_machine);
  CHECK(parse({}, exit_code)->wait == std::chrono::seconds(300));
  CHECK(parse({"--check-machine"}, exit_code)->check_machine);
  CHECK(parse({}, exit_code)->stop_grace == std::chrono::seconds(30));
  CHECK(parse({"--stop-grace", "0"}, exit_code)->stop_grace == std::chrono::seconds(0));
  CHECK(parse({"--stop-grace", "86400"}, exit_code)->stop_grace == std::chrono::seconds(86400));
  CHECK(parse({"--wait", "0"}, exit_code)->wait == std::chrono::seconds(0));
  CHECK(parse({"--wait", "86400"}, exit_code)->wait == std::chrono::seconds(86400));
  const StandardError quiet;
  for (const char* wrong : {"86401", "-1", "x", "1.5"}) {
    CHECK_FALSE(parse({"--wait", wrong}, exit_code));
    CHECK_FALSE(parse({"--stop-grace", wrong}, exit_code));
  }
}

TEST_CASE("credentials of the service give configuration and roots, and the command line counts more") {
  const Credentials credentials;
  CHECK(credentials.parse()->verifier == launcher::Options().verifier);
  CHECK_FALSE(credentials.parse()->verifier_ca);
  credentials.write(launcher::kConfigCredential,
                    "# set by the builder of the machine\n"
                    "verifier = \"https://verifier.example:8443\"\n"
                    "attestation-key = \"rsa\"\n"
                    "check-machine = true\n"
                    "wait = 20\n"
                    "log-level = \"debug\"\n");
  const auto verifier_ca = credentials.write(launcher::kVerifierCaCredential, "");
  const auto registry_ca = credentials.write(launcher::kRegistryCaCredential, "");
  const auto options = credentials.parse();
  REQUIRE(options);
  CHECK(options->verifier == "https://verifier.example:8443");
  CHECK(options->attestation_key.certificate == attest::kRsaKeyIndices.certificate);
  CHECK(options->check_machine);
  CHECK(options->wait == std::chrono::seconds(20));
  CHECK(options->log_level == base::log::Level::kDebug);
  CHECK(options->verifier_ca == verifier_ca);
  CHECK(options->registry_ca == registry_ca);
  const auto overridden = credentials.parse({"--verifier", "https://other.example", "--verifier-ca", "/ca", "--wait",
                                             "0", "--attestation-key", "ecc", "--check-machine=false"});
  REQUIRE(overridden);
  CHECK(overridden->verifier == "https://other.example");
  CHECK(overridden->verifier_ca == "/ca");
  CHECK(overridden->registry_ca == registry_ca);
  CHECK(overridden->wait == std::chrono::seconds(0));
  CHECK(overridden->attestation_key.certificate == attest::kEccKeyIndices.certificate);
  CHECK_FALSE(overridden->check_machine);
  CHECK(overridden->log_level == base::log::Level::kDebug);
}

TEST_CASE("the configuration file counts more than the roots among the credentials") {
  const Credentials credentials;
  credentials.write(launcher::kVerifierCaCredential, "");
  credentials.write(launcher::kConfigCredential, "verifier-ca = \"/etc/ca.pem\"\n");
  CHECK(credentials.parse()->verifier_ca == "/etc/ca.pem");
}

TEST_CASE("another configuration file takes the place of that among the credentials") {
  const Credentials credentials;
  credentials.write(launcher::kConfigCredential, "no such key");
  const auto other = credentials.write("other.conf", "snapshotter = \"native\"\n");
  CHECK(credentials.parse({"--config", other.c_str()})->snapshotter == "native");
}

TEST_CASE("a wrong configuration file is one error that names file and key") {
  const Credentials credentials;
  credentials.expect_refused("verifyer = \"x\"\n", "unknown key verifyer");
  credentials.expect_refused("[launcher]\nverifier = \"x\"\n", "unknown key launcher");
  credentials.expect_refused("config = \"x\"\n", "unknown key config");
  credentials.expect_refused("help = true\n", "unknown key help");
  credentials.expect_refused("version = true\n", "unknown key version");
  credentials.expect_refused("attestation-key = \"dsa\"\n", "--attestation-key: ");
  credentials.expect_refused("wait = \"long\"\n", "--wait");
  credentials.expect_refused("log-level = \"loud\"\n", "--log-level: ");
  credentials.expect_refused("check-machine = \"perhaps\"\n", "check-machine");
  credentials.expect_refused("tcti = \"a\"\ntcti = \"b\"\n", "tcti");
  credentials.expect_refused("just words\n", "unknown key");
  credentials.expect_refused(std::string(70000, '#'), "longer than");
}

TEST_CASE("a configuration file that can't be read is an error, whoever named it") {
  int exit_code = 0;
  StandardError standard_error;
  CHECK_FALSE(parse({"--config", "/no/such.conf"}, exit_code));
  CHECK(exit_code > 100);
  CHECK(standard_error.text() == "cs-launcher: opening /no/such.conf: No such file or directory\n");
  const Credentials credentials;
  std::filesystem::create_directory(credentials.folder.path() / launcher::kConfigCredential);
  CHECK_FALSE(credentials.parse());
}
