#include "launcher/options.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>

#include <sys/stat.h>

#include "tests/unit/catch.h"
#include "tests/unit/support/temporary_directory.h"
#include "tests/unit/support/tls.h"

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

  /// A file with a root certificate.
  std::filesystem::path certificates(const char* name = "ca.pem") const {
    test::make_tls_files(folder.path());
    if (name != std::string("ca.pem")) std::filesystem::copy_file(folder.path() / "ca.pem", folder.path() / name);
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
  CHECK(options->services.at(0).url == "https://confidentialcomputing.googleapis.com");
  CHECK(options->attestation_key.certificate == tpm::kEccKeyIndices.certificate);
}

TEST_CASE("options are taken, and wrong ones are not") {
  int exit_code = -1;
  const Credentials files;
  const auto metadata = files.write("m.json", "{}");
  const auto ca = files.certificates();
  const auto options = parse({"--metadata-file", metadata.c_str(), "--attestation-key", "rsa", "--log-level", "debug",
                              "--verifier-ca", ca.c_str()},
                             exit_code);
  REQUIRE(options);
  CHECK(options->metadata_file == metadata);
  CHECK(options->attestation_key.certificate == tpm::kRsaKeyIndices.certificate);
  CHECK(options->log_level == base::log::Level::kDebug);
  CHECK(options->services.at(0).ca_file == ca);
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

TEST_CASE("what containers can be given, and where their output goes, is the machine's to say") {
  int exit_code = -1;
  const auto usual = parse({}, exit_code);
  CHECK_FALSE(usual->container_capabilities);
  CHECK(usual->output.console == "/dev/console");
  CHECK(usual->output.folder == "/run/cs-launcher");
  CHECK(parse({"--container-capabilities", "CAP_CHOWN,CAP_SYS_ADMIN"}, exit_code)->container_capabilities == 0x200001U);
  CHECK(parse({"--container-capabilities", "all"}, exit_code)->container_capabilities == ~launcher::CapabilitySet{0});
  const auto other = parse({"--console", "/dev/ttyS0", "--output-directory", "/run/other"}, exit_code);
  CHECK(other->output.console == "/dev/ttyS0");
  CHECK(other->output.folder == "/run/other");
}

TEST_CASE("credentials of the service give configuration and roots, and the command line counts more") {
  const Credentials credentials;
  CHECK(credentials.parse()->services.at(0).url == launcher::Options().services.at(0).url);
  CHECK_FALSE(credentials.parse()->services.at(0).ca_file);
  credentials.write(launcher::kConfigCredential,
                    "# set by the builder of the machine\n"
                    "verifier = \"https://verifier.example:8443\"\n"
                    "attestation-key = \"rsa\"\n"
                    "check-machine = true\n"
                    "wait = 20\n"
                    "log-level = \"debug\"\n");
  const auto ca = credentials.certificates();
  const auto verifier_ca = credentials.certificates(launcher::kVerifierCaCredential);
  const auto registry_ca = credentials.certificates(launcher::kRegistryCaCredential);
  const auto options = credentials.parse();
  REQUIRE(options);
  CHECK(options->services.at(0).url == "https://verifier.example:8443");
  CHECK(options->attestation_key.certificate == tpm::kRsaKeyIndices.certificate);
  CHECK(options->check_machine);
  CHECK(options->wait == std::chrono::seconds(20));
  CHECK(options->log_level == base::log::Level::kDebug);
  CHECK(options->services.at(0).ca_file == verifier_ca);
  CHECK(options->registry_ca == registry_ca);
  const auto overridden = credentials.parse({"--verifier", "https://other.example", "--verifier-ca", ca.c_str(),
                                             "--wait", "0", "--attestation-key", "ecc", "--check-machine=false"});
  REQUIRE(overridden);
  CHECK(overridden->services.at(0).url == "https://other.example");
  CHECK(overridden->services.at(0).ca_file == ca);
  CHECK(overridden->registry_ca == registry_ca);
  CHECK(overridden->wait == std::chrono::seconds(0));
  CHECK(overridden->attestation_key.certificate == tpm::kEccKeyIndices.certificate);
  CHECK_FALSE(overridden->check_machine);
  CHECK(overridden->log_level == base::log::Level::kDebug);
}

TEST_CASE("several attestation services can be named, on the command line or in the file") {
  const Credentials credentials;
  const auto ca = credentials.certificates();
  const auto common = credentials.certificates(launcher::kVerifierCaCredential);
  const std::string corp = "corp=https://corp.example:8443," + ca.string();
  const std::vector<launcher::AttestationService> both = {
      {.name = "corp", .url = "https://corp.example:8443", .ca_file = ca},
      {.name = "default", .url = "https://other.example", .ca_file = common}};
  CHECK(credentials.parse({"--verifier", corp.c_str(), "--verifier", "https://other.example"})->services == both);
  credentials.write(launcher::kConfigCredential, "verifier = [\"" + corp + "\", \"https://other.example\"]\n");
  CHECK(credentials.parse()->services == both);
  INFO("the command line takes the place of all of the file's");
  CHECK(credentials.parse({"--verifier", "a=https://a.example"})->services.size() == 1);
  const StandardError quiet;
  CHECK_FALSE(credentials.parse({"--verifier", "a=https://a.example", "--verifier", "a=https://b.example"}));
  CHECK_FALSE(credentials.parse({"--verifier", "https://a.example", "--verifier", "https://b.example"}));
  CHECK_FALSE(credentials.parse({"--verifier", "a=https://a.example,/no/such/file"}));
  CHECK_FALSE(credentials.parse({"--verifier", "a b=https://a.example"}));
}

TEST_CASE("the configuration file counts more than the roots among the credentials") {
  const Credentials credentials;
  const auto ca = credentials.certificates();
  credentials.write(launcher::kVerifierCaCredential, "");
  credentials.write(launcher::kConfigCredential, "verifier-ca = \"" + ca.string() + "\"\n");
  CHECK(credentials.parse()->services.at(0).ca_file == ca);
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
  credentials.expect_refused("[launcher]\nverifier = \"x\"\n", "has a section, [launcher]");
  for (const char* section : {"[default]\nwait = 1\n", "wait = 1\n [a]\n", "[[a]]\n", "[\"wait\"]\n"}) {
    CAPTURE(section);
    credentials.expect_refused(section, "has a section, [");
  }
  for (const char* mark : {"++ = 5\n", "-- = \"x\"\n"}) {
    CAPTURE(mark);
    credentials.expect_refused(mark, "unknown key");
  }
  credentials.expect_refused("registry-ca = []\n", "registry-ca has no value");
  credentials.expect_refused("wait = 010\n", "--wait: is not a whole number");
  credentials.expect_refused("config = \"x\"\n", "unknown key config");
  credentials.expect_refused("help = true\n", "unknown key help");
  credentials.expect_refused("version = true\n", "unknown key version");
  credentials.expect_refused("attestation-key = \"dsa\"\n", "--attestation-key: ");
  credentials.expect_refused("wait = \"long\"\n", "--wait");
  credentials.expect_refused("log-level = \"loud\"\n", "--log-level: is none of trace, debug, info, warning and error");
  credentials.expect_refused("check-machine = \"perhaps\"\n", "check-machine");
  credentials.expect_refused("tcti = \"a\"\ntcti = \"b\"\n", "tcti");
  credentials.expect_refused("wait = 1\ncheck-machine = true\nwait = 1\n", "wait stands twice");
  credentials.expect_refused("wait = [1, 2]\n", "--wait");
  credentials.expect_refused("just words\n", "unknown key");
  credentials.expect_refused(std::string(70000, '#'), "longer than");
}

TEST_CASE("a wrong value in the configuration file is an error even where the command line counts more") {
  const Credentials credentials;
  credentials.write(launcher::kConfigCredential, "wait = \"long\"\n");
  const StandardError standard_error;
  CHECK_FALSE(credentials.parse({"--wait", "5"}));
  CHECK_THAT(standard_error.text(), ContainsSubstring("cs-launcher.conf: --wait"));
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

TEST_CASE("wrong values are found before anything happens, and named") {
  const Credentials files;
  const auto text = files.write("text", "no certificate");
  const auto fifo = (files.folder.path() / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const std::string folder = files.folder.path();
  const std::string long_path = "/" + std::string(107, 'a');
  struct Wrong {
    const char* option;
    std::string value;
    const char* reason;
  };
  for (const Wrong& wrong : {
           Wrong{"--containerd", "run/containerd.sock", "is not an absolute path"},
           Wrong{"--containerd", "", "is not an absolute path"},
           Wrong{"--containerd", long_path, "would have 108 bytes, more than the 107"},
           Wrong{"--verifier", "verifier.example", "not an absolute URL"},
           Wrong{"--console", "console", "is not an absolute path"},
           Wrong{"--console", "/" + std::string(256, 'x'), "255"},
           Wrong{"--output-directory", "output", "is not an absolute path"},
           Wrong{"--container-capabilities", "CAP_CHOWN,CAP_X", "there is no capability CAP_X"},
           Wrong{"--container-capabilities", ",", "names no capability"},
           Wrong{"--verifier", "", "not an absolute URL"},
           Wrong{"--verifier", "http://verifier.example", "plain http"},
           Wrong{"--verifier", "https://verifier.example/v1", "must not have a path"},
           Wrong{"--verifier-ca", "/no/such/file", "No such file"},
           Wrong{"--verifier-ca", "", "No such file"},
           Wrong{"--verifier-ca", text, "PEM"},
           Wrong{"--registry-ca", fifo, "is not a regular file"},
           Wrong{"--registry-ca", folder, "is not a regular file"},
           Wrong{"--metadata-file", fifo, "is not a regular file"},
           Wrong{"--metadata-file", folder, "is not a regular file"},
           Wrong{"--metadata-file", "/no/such/file", "No such file"},
           Wrong{"--boot-log", folder, "is not a regular file"},
           Wrong{"--kernel-command-line", "/no/such/file", "No such file"},
           Wrong{"--tcti", "nonsense:x", "knows no TCTI"},
           Wrong{"--tcti", "", "is empty"},
           Wrong{"--runtime-directory", "run", "is not an absolute path"},
           Wrong{"--runtime-directory", "", "is not an absolute path"},
           Wrong{"--runtime-directory", "/\xff", "is not UTF-8"},
           Wrong{"--runtime-directory", "/" + std::string(92, 'a'), "would have 108 bytes, more than the 107"},
           Wrong{"--containerd-namespace", "", "is no name"},
           Wrong{"--containerd-namespace", "a/b", "is no name"},
           Wrong{"--containerd-namespace", "-a", "is no name"},
           Wrong{"--containerd-namespace", "a..b", "is no name"},
           Wrong{"--containerd-namespace", std::string(77, 'a'), "longer than 76 bytes"},
           Wrong{"--snapshotter", "overlayfs\n", "is no name"},
           Wrong{"--stop-grace", "", ""},
           Wrong{"--registry-wait", "0", ""},
       }) {
    CAPTURE(wrong.option, wrong.value);
    const StandardError standard_error;
    int exit_code = 0;
    CHECK_FALSE(parse({wrong.option, wrong.value.c_str()}, exit_code));
    CHECK(exit_code > 100);
    CHECK_THAT(standard_error.text(), ContainsSubstring(wrong.option));
    CHECK_THAT(standard_error.text(), ContainsSubstring(wrong.reason));
  }
}

TEST_CASE("values at their limits are taken") {
  int exit_code = 0;
  const std::string socket = "/" + std::string(106, 'a');
  const std::string directory = "/" + std::string(91, 'a');
  const std::string name = std::string(74, 'a') + "-b";
  const auto options = parse(
      {"--containerd", socket.c_str(), "--runtime-directory", directory.c_str(), "--containerd-namespace", name.c_str(),
       "--tcti", "swtpm:path=/no/such", "--registry-wait", "86400", "--verifier", "http://127.0.0.1:8443"},
      exit_code);
  REQUIRE(options);
  CHECK(options->containerd_socket == socket);
  CHECK(options->runtime_directory == directory);
  CHECK(options->containerd_namespace == name);
  CHECK(options->registry_wait == std::chrono::seconds(86400));
}

TEST_CASE("a credential that is no certificate is named as well, unless another takes its place") {
  const Credentials credentials;
  const auto file = credentials.write(launcher::kRegistryCaCredential, "nothing");
  const StandardError standard_error;
  int exit_code = 0;
  CHECK_FALSE(parse({}, exit_code, credentials.folder.path()));
  CHECK(exit_code > 100);
  CHECK_THAT(standard_error.text(), ContainsSubstring("cs-launcher: --registry-ca: " + file.string() + ": PEM"));
  const auto ca = credentials.certificates();
  CHECK(credentials.parse({"--registry-ca", ca.c_str()}));
}

TEST_CASE("a check says what every option is and where it comes from, as a configuration file") {
  const Credentials credentials;
  credentials.write(launcher::kConfigCredential, "wait = 7\ncheck-machine = true\n");
  const auto registry_ca = credentials.certificates(launcher::kRegistryCaCredential);
  std::ostringstream text;
  std::streambuf* const before = std::cout.rdbuf(text.rdbuf());
  int exit_code = 1;
  const auto options =
      ::parse({"--check", "--stop-grace", "5", "--verifier", "a=https://a.example", "--verifier", "https://b.example"},
              exit_code, credentials.folder.path());
  std::cout.rdbuf(before);
  CHECK_FALSE(options);
  CHECK(exit_code == 0);
  for (const std::string& line :
       {std::string("wait = \"7\"  # configuration file\n"),
        std::string("check-machine = \"true\"  # configuration file\n"),
        std::string("stop-grace = \"5\"  # command line\n"), std::string("log-level = \"info\"  # default\n"),
        std::string("verifier = [\"a=https://a.example\",\"https://b.example\"]  # command line\n"),
        "registry-ca = \"" + registry_ca.string() + "\"  # credential\n"}) {
    CHECK_THAT(text.str(), ContainsSubstring(line));
  }
  for (const char* none : {"metadata-file", "google-ca", "verifier-ca", "config", "version", "help"}) {
    CHECK_THAT("\n" + text.str(), !ContainsSubstring(std::string("\n") + none + " = "));
  }
}

TEST_CASE("a check fails as a start does, and a credential's error names its option") {
  const Credentials credentials;
  credentials.write(launcher::kRegistryCaCredential, "no certificate");
  int exit_code = 0;
  const StandardError errors;
  CHECK_FALSE(::parse({"--check"}, exit_code, credentials.folder.path()));
  CHECK(exit_code > 100);
  CHECK_THAT(errors.text(), StartsWith("cs-launcher: --registry-ca: ") && ContainsSubstring("cs-launcher.registry-ca"));
  std::filesystem::remove(credentials.folder.path() / launcher::kRegistryCaCredential);
  credentials.expect_refused("check = true\n", "unknown key check");
}
