#include "launcher/option_checks.h"

#include <fstream>

#include <sys/stat.h>

#include "tests/unit/catch.h"
#include "tests/unit/support/temporary_directory.h"
#include "tests/unit/support/tls.h"

namespace launcher {

TEST_CASE("a file is one that is there, regular, and may be read") {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / "file";
  std::ofstream(file) << "text";
  CHECK(check_readable_file(file) == "");
  CHECK_THAT(check_readable_file(directory.path() / "none"), ContainsSubstring("No such file"));
  CHECK_THAT(check_readable_file(directory.path()), ContainsSubstring("not a regular file"));
  const auto fifo = directory.path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_THAT(check_readable_file(fifo), ContainsSubstring("not a regular file"));
}

TEST_CASE("a file of certificates has some") {
  const test::TemporaryDirectory directory;
  test::make_tls_files(directory.path());
  CHECK(check_certificates(directory.path() / "ca.pem") == "");
  CHECK(check_certificates(directory.path() / "server-key.pem") != "");
  CHECK_THAT(check_certificates(directory.path() / "none"), ContainsSubstring("No such file"));
}

TEST_CASE("sockets have absolute paths that fit into an address") {
  CHECK(check_socket("/" + std::string(106, 'x')) == "");
  CHECK_THAT(check_socket("/" + std::string(107, 'x')), ContainsSubstring("108 bytes, more than the 107"));
  CHECK_THAT(check_socket("run/socket"), ContainsSubstring("absolute"));
  CHECK_THAT(check_socket(""), ContainsSubstring("absolute"));
  constexpr std::size_t kName = sizeof("/teeserver.sock") - 1;
  CHECK(check_runtime_directory("/" + std::string(106 - kName, 'x')) == "");
  CHECK_THAT(check_runtime_directory("/" + std::string(107 - kName, 'x')), ContainsSubstring("108 bytes"));
  CHECK_THAT(check_runtime_directory("/\xff"), ContainsSubstring("UTF-8"));
  CHECK_THAT(check_runtime_directory("run"), ContainsSubstring("absolute"));
}

TEST_CASE("containerd's names") {
  for (const char* good : {"default", "k8s.io", "a-b_c.d", "1"}) CHECK(check_containerd_name(good) == "");
  for (const char* bad : {"", ".", "a..b", "-a", "a-", "a/b", "a b", "\xc3\xa4"}) {
    INFO(bad);
    CHECK_THAT(check_containerd_name(bad), ContainsSubstring("is no name"));
  }
  CHECK(check_containerd_name(std::string(76, 'x')) == "");
  CHECK_THAT(check_containerd_name(std::string(77, 'x')), ContainsSubstring("76 bytes"));
}

TEST_CASE("the verifier is https, or on loopback") {
  CHECK(check_verifier("https://verifier.example:8443") == "");
  CHECK(check_verifier("http://127.0.0.1:8080") == "");
  for (const char* bad :
       {"", "verifier.example", "http://verifier.example", "https://verifier.example/v1", "ftp://x"}) {
    INFO(bad);
    CHECK(check_verifier(bad) != "");
  }
}

TEST_CASE("a TCTI is one that is installed") {
  CHECK(check_tcti("device:/dev/tpmrm0") == "");
  CHECK_THAT(check_tcti("nonesuch:x"), ContainsSubstring("knows no TCTI \"nonesuch\""));
  CHECK_THAT(check_tcti(""), ContainsSubstring("is empty"));
}

}  // namespace launcher
