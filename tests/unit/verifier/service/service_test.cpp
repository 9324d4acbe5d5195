#include "verifier/service/service.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <string>
#include <utility>

#include <openssl/pem.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/openssl.h"
#include "net/http_client.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/systemd.h"
#include "tests/unit/support/temporary_directory.h"
#include "tests/unit/support/tls.h"
#include "verifier/tokens/key_store.h"
#include "vtpm/certificate_authority.h"

namespace {

using base::Json;

/// The files of a service; with TLS, its authority is `folder`/tls/ca.pem.
class Files {
 public:
  explicit Files(bool tls = false) {
    const auto authority = vtpm::CertificateAuthority::open(folder() / "ca");
    const base::BioPtr pem(BIO_new_file((folder() / "root.pem").c_str(), "w"));
    REQUIRE(PEM_write_bio_X509(pem.get(), &authority.certificate()) == 1);
    std::ofstream(folder() / "values.json") << R"({"images":[]})";
    config["issuer"] = "https://verifier.example";
    config["listen"] = {{"address", "127.0.0.1"}, {"port", 0}};
    config["state_directory"] = "state";
    config["attestation_roots"] = Json::array({{{"file", "root.pem"}, {"hwmodel", "SOFTWARE_TPM"}}});
    config["reference_values"] = "values.json";
    if (tls) {
      std::filesystem::create_directory(folder() / "tls");
      test::make_tls_files(folder() / "tls");
      config["listen"]["certificate"] = "tls/server.pem";
      config["listen"]["private_key"] = "tls/server-key.pem";
    }
    write();
  }

  void write() const { std::ofstream(path()) << config; }
  const std::filesystem::path& folder() const { return directory_.path(); }
  std::filesystem::path path() const { return folder() / "config.json"; }

  Json config;

 private:
  test::TemporaryDirectory directory_;
};

/// A service that serves on a thread of its own, while signals to this process are signals to it.
class Running {
 public:
  explicit Running(const Files& files)
      : files_(files), served_(std::async(std::launch::async, [path = files.path()] {
          verifier::serve({path, 1});
        })) {
    REQUIRE(systemd_.next_message() == "READY=1");
    const std::string log = log_.text();
    const std::string key = "msg=\"listening\" url=";
    REQUIRE(log.find(key) != std::string::npos);
    const std::size_t begin = log.find(key) + key.size();
    url_ = log.substr(begin, log.find('\n', begin) - begin);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    const bool serves = served_.valid() && served_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
    if (serves) ::kill(::getpid(), SIGTERM);
  }

  void reload() {
    ::kill(::getpid(), SIGHUP);
    CHECK_THAT(systemd_.next_message(), Catch::Matchers::StartsWith("RELOADING=1\n"));
    CHECK(systemd_.next_message() == "READY=1");
  }

  /// By the signal; throws what serving threw.
  void stop(int signal) {
    ::kill(::getpid(), signal);
    CHECK(systemd_.next_message() == "STOPPING=1");
    REQUIRE(served_.wait_for(test::kTestDeadline) == std::future_status::ready);
    served_.get();
  }

  net::HttpResponse get(const std::string& path) const {
    asio::io_context context;
    std::optional<std::filesystem::path> authority;
    if (std::filesystem::exists(files_.folder() / "tls")) authority = files_.folder() / "tls/ca.pem";
    net::HttpClient client(context.get_executor(), authority, net::HttpClient::Proxies::kNone);
    net::HttpRequest request;
    request.url = url_ + path;
    return test::run(context, client.send(std::move(request), {}));
  }

  Json json(const std::string& path) const {
    const net::HttpResponse response = get(path);
    CHECK(response.status == 200);
    return Json::parse(response.body);
  }
  Json issuer() const { return json("/.well-known/openid-configuration").at("issuer"); }

  const std::string& url() const { return url_; }
  const test::CapturedLog& log() const { return log_; }

 private:
  const Files& files_;
  test::CapturedLog log_;
  test::Systemd systemd_;
  std::string url_;
  std::future<void> served_;
};

/// Why it can't be started.
std::string failure_of(const Files& files) {
  const test::CapturedLog log;
  try {
    verifier::serve({files.path(), 1});
  } catch (const base::Error& error) {
    CHECK(log.count("msg=\"listening\"") == 0);
    return error.what();
  }
  FAIL("it served");
  return {};
}

}  // namespace

TEST_CASE("a service serves until SIGTERM or SIGINT, and says so") {
  const Files files;
  const int signal = GENERATE(SIGTERM, SIGINT);
  Running service(files);
  CHECK(service.issuer() == "https://verifier.example");
  CHECK(service.json("/.well-known/jwks.json").at("keys").size() == 1);
  CHECK_THAT(service.url(), Catch::Matchers::StartsWith("http://127.0.0.1:"));
  service.stop(signal);
  CHECK_THROWS_AS(service.get("/healthz"), net::HttpError);
  CHECK(service.log().count("msg=\"stopping\" signal=" + std::to_string(signal)) == 1);
  CHECK(service.log().count("msg=\"stopped\"") == 1);
}

TEST_CASE("SIGHUP makes the configuration and the files that it names count from the next request on") {
  Files files;
  Running service(files);
  const Json keys = service.json("/.well-known/jwks.json");
  files.config["issuer"] = "https://other.example";
  files.config["state_directory"] = (files.folder() / "state").string();
  files.write();
  CHECK(service.issuer() == "https://verifier.example");
  CHECK(service.json("/.well-known/jwks.json") == keys);
  service.reload();
  CHECK(service.issuer() == "https://other.example");
  const std::string key_id = keys.at("keys")[0].at("kid").get<std::string>();
  CHECK(service.log().count("msg=\"reloaded\" issuer=https://other.example images=0 key_id=" + key_id) == 1);
  service.stop(SIGTERM);
}

TEST_CASE("when anything is wrong with the files, nothing of them is taken, and the next try may succeed") {
  Files files;
  Running service(files);
  files.config["issuer"] = "https://other.example";
  std::string reason;
  SECTION("the configuration is none") {
    std::ofstream(files.path()) << "{";
    reason = "config";
  }
  SECTION("a file that it names") {
    files.write();
    std::ofstream(files.folder() / "values.json") << "{";
    reason = "values.json";
  }
  SECTION("a file is gone") {
    files.write();
    std::filesystem::rename(files.folder() / "root.pem", files.folder() / "aside.pem");
    reason = "root.pem";
  }
  SECTION("the port is another") {
    files.config["listen"]["port"] = 1;
    files.write();
    reason = "config.listen.port: can't change while the service runs";
    files.config["listen"]["port"] = 0;
  }
  SECTION("the state is to be elsewhere") {
    files.config["state_directory"] = "elsewhere";
    files.write();
    reason = "config.state_directory: can't change while the service runs";
    files.config["state_directory"] = "state";
  }
  service.reload();
  CHECK(service.issuer() == "https://verifier.example");
  CHECK(service.log().count("msg=\"reload failed, nothing has changed\" error=") == 1);
  CHECK_THAT(service.log().text(), ContainsSubstring(reason));
  CHECK_FALSE(std::filesystem::exists(files.folder() / "elsewhere"));

  std::ofstream(files.folder() / "values.json") << R"({"images":[]})";
  if (std::filesystem::exists(files.folder() / "aside.pem")) {
    std::filesystem::rename(files.folder() / "aside.pem", files.folder() / "root.pem");
  }
  files.write();
  service.reload();
  CHECK(service.issuer() == "https://other.example");
  service.stop(SIGTERM);
}

TEST_CASE("a new TLS certificate is shown to who connects after a reload") {
  const Files files(true);
  Running service(files);
  CHECK_THAT(service.url(), Catch::Matchers::StartsWith("https://127.0.0.1:"));
  CHECK(service.get("/healthz").status == 200);
  test::make_tls_files(files.folder() / "tls");  // of another authority, which the client trusts from now on
  CHECK_THROWS_AS(service.get("/healthz"), net::HttpError);
  service.reload();
  CHECK(service.get("/healthz").status == 200);
  service.stop(SIGTERM);
}

TEST_CASE("what keeps a service from starting is an error that names it") {
  Files files;
  SECTION("no configuration") {
    std::filesystem::remove(files.path());
    CHECK_THAT(failure_of(files), ContainsSubstring("config.json"));
  }
  SECTION("a field") {
    files.config["issuer"] = "verifier";
    files.write();
    CHECK_THAT(failure_of(files), ContainsSubstring("config.issuer"));
  }
  SECTION("a file that is named") {
    std::ofstream(files.folder() / "root.pem") << "no PEM";
    CHECK_THAT(failure_of(files), ContainsSubstring("root.pem"));
  }
  SECTION("a key of another certificate") {
    const Files other(true);
    const auto tls = other.folder() / "tls";
    test::make_tls_files(files.folder());
    files.config["listen"]["certificate"] = (tls / "server.pem").string();
    files.config["listen"]["private_key"] = "server-key.pem";
    files.write();
    CHECK_THAT(failure_of(files), ContainsSubstring("does not fit the first certificate"));
  }
  SECTION("a port that another holds") {
    const Files others;
    Running other(others);
    const std::string port = other.url().substr(other.url().rfind(':') + 1);
    files.config["listen"]["port"] = std::stoi(port);
    files.write();
    CHECK_THAT(failure_of(files), ContainsSubstring(port));
    other.stop(SIGTERM);
  }
}
