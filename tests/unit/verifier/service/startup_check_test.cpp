#include "verifier/service/startup_check.h"

#include <chrono>
#include <fstream>

#include <openssl/pem.h>

#include "base/error.h"
#include "base/file.h"
#include "base/openssl.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/temporary_directory.h"
#include "tests/unit/support/tls.h"
#include "tests/unit/verifier/support/published_document.h"

namespace {

using namespace std::chrono_literals;
using verifier::ListenConfig;
using verifier::ReferenceValues;

constexpr const char* kImage = R"({"name": "NAME", "swversion": 1, "hardened": true, "deprecated": DEPRECATED,
  "pcrs": {"sha256": {"4": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                      "9": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}}})";

std::string document(const std::string& name, bool deprecated) {
  std::string image = kImage;
  image.replace(image.find("NAME"), 4, name);
  image.replace(image.find("DEPRECATED"), 10, deprecated ? "true" : "false");
  return "{\"images\": [" + image + "]}";
}

ReferenceValues known() { return ReferenceValues::parse(document("image", false), "values.json"); }

ListenConfig listen_in(const std::filesystem::path& folder) {
  test::make_tls_files(folder);
  std::filesystem::permissions(folder / "server-key.pem", std::filesystem::perms::owner_read);
  ListenConfig listen;
  listen.tls = verifier::TlsFiles{folder / "server.pem", folder / "server-key.pem"};
  return listen;
}

base::WallTime not_after(const std::filesystem::path& certificate) {
  const auto chain = base::parse_pem_certificates(base::read_text_file(certificate, 1 << 20), "certificate");
  std::tm time{};
  REQUIRE(ASN1_TIME_to_tm(X509_get0_notAfter(chain.front().get()), &time) == 1);
  return base::from_unix_seconds(timegm(&time));
}

verifier::Config config_of(const ListenConfig& listen) {
  verifier::Config config;
  config.listen = listen;
  return config;
}

std::string refusal_of(const ListenConfig& listen) {
  try {
    verifier::expect_tls_key(listen);
    return "accepted";
  } catch (const base::Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("a TLS key must fit its certificate") {
  const test::TemporaryDirectory one;
  const test::TemporaryDirectory two;
  ListenConfig listen = listen_in(one.path());
  const ListenConfig other = listen_in(two.path());
  CHECK(refusal_of(ListenConfig{}) == "accepted");
  CHECK(refusal_of(listen) == "accepted");
  listen.tls->private_key = other.tls->private_key;
  CHECK_THAT(refusal_of(listen),
             ContainsSubstring("config.listen.private_key: " + listen.tls->private_key.string() +
                               " does not fit the first certificate of " + listen.tls->certificate.string()));
  listen.tls->private_key = listen.tls->certificate;
  CHECK_THAT(refusal_of(listen),
             ContainsSubstring("config.listen.private_key: ") && ContainsSubstring("is no private key in PEM"));
  listen.tls->private_key = one.path() / "nowhere.pem";
  CHECK_THAT(refusal_of(listen), ContainsSubstring("nowhere.pem"));
}

TEST_CASE("certificates that clients will refuse are warned of") {
  const test::TemporaryDirectory folder;
  const ListenConfig listen = listen_in(folder.path());
  const base::WallTime end = not_after(listen.tls->certificate);
  const auto warnings = [&](base::WallTime now) { return startup_warnings(config_of(listen), known(), now); };
  CHECK(warnings(end - 1h).empty());
  REQUIRE(warnings(end + 1h).size() == 1);
  CHECK_THAT(warnings(end + 1h)[0],
             ContainsSubstring("config.listen.certificate: ") && ContainsSubstring("has expired at 2"));
  REQUIRE_FALSE(warnings(base::from_unix_seconds(0)).empty());
  CHECK_THAT(warnings(base::from_unix_seconds(0))[0],
             ContainsSubstring("config.listen.certificate: ") && ContainsSubstring("is not valid before 2"));
}

TEST_CASE("an attestation root that vouches for nobody at this time is warned of") {
  const test::TemporaryDirectory folder;
  test::make_tls_files(folder.path());
  verifier::Config config;
  config.attestation_roots = {{folder.path() / "ca.pem", "SOFTWARE_TPM"}};
  const base::WallTime end = not_after(config.attestation_roots[0].file);
  CHECK(startup_warnings(config, known(), end - 1h).empty());
  REQUIRE(startup_warnings(config, known(), end + 1h).size() == 1);
  CHECK_THAT(startup_warnings(config, known(), end + 1h)[0],
             ContainsSubstring("config.attestation_roots: ") && ContainsSubstring("has expired at 2"));
}

TEST_CASE("a private key that any user may read is warned of") {
  const test::TemporaryDirectory folder;
  const ListenConfig listen = listen_in(folder.path());
  const base::WallTime now = not_after(listen.tls->certificate) - 1h;
  std::filesystem::permissions(listen.tls->private_key, std::filesystem::perms(0644));
  REQUIRE(startup_warnings(config_of(listen), known(), now).size() == 1);
  CHECK_THAT(startup_warnings(config_of(listen), known(), now)[0],
             ContainsSubstring("config.listen.private_key: ") && ContainsSubstring("server-key.pem"));
  std::filesystem::permissions(listen.tls->private_key, std::filesystem::perms(0640));
  CHECK(startup_warnings(config_of(listen), known(), now).empty());
}

TEST_CASE("an image that can never match is warned of") {
  ReferenceValues values = known();
  values.add(document("twin", false), "twin.json");
  CHECK(startup_warnings({}, values, base::from_unix_seconds(1)) ==
        std::vector<std::string>{"config.reference_values: image twin can never match: it asks for all that image "
                                 "image asks for, which stands before it"});
}

TEST_CASE("an image of which only the boot loader is stated is warned of") {
  std::string image = document("loader", false);
  const std::size_t comma = image.find(",\n", image.find("\"4\""));
  image.erase(comma, image.find("}}", comma) - comma);
  const auto warnings = startup_warnings({}, ReferenceValues::parse(image, "values.json"), base::from_unix_seconds(1));
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], ContainsSubstring("image loader states PCR 4 and neither PCR 9 nor"));
}

TEST_CASE("a verifier that knows no image, or none that is not retired, is warned of") {
  const base::WallTime now = base::from_unix_seconds(1800000000);
  const auto warnings = [&](const ReferenceValues& values) { return startup_warnings({}, values, now); };
  CHECK(warnings(known()).empty());
  REQUIRE(warnings(ReferenceValues::parse(R"({"images":[]})", "values.json")).size() == 1);
  CHECK_THAT(warnings(ReferenceValues::parse(R"({"images":[]})", "values.json"))[0],
             ContainsSubstring("config.reference_values: no image is known"));
  ReferenceValues values = known();
  std::string old = document("old", true);
  old.replace(old.find("aaaa"), 4, "cccc");
  values.add(old, "old.json");
  CHECK(warnings(values) == std::vector<std::string>{"config.reference_values: old.json: all images are deprecated"});
}

TEST_CASE("reference values of a publisher that expire are warned of a week before") {
  const test::DocumentSigner signer;
  base::Json published = test::published(7, base::Json::parse(document("published", false))["images"]);
  published["expires"] = "2027-01-15T08:00:00Z";
  const std::string text = published.dump();
  ReferenceValues values;
  values.add_published(text, signer.sign(text), verifier::Publisher("team", signer.public_pem(), "team.pem"), "doc");
  const base::WallTime end = base::from_unix_seconds(1800000000);
  using Lines = std::vector<std::string>;
  CHECK(startup_warnings({}, values, end - 24h * 7 - 1s).empty());
  CHECK(startup_warnings({}, values, end - 24h * 7) ==
        Lines{"config.reference_publishers: version 7 of publisher team expires at 2027-01-15T08:00:00Z"});
  CHECK(startup_warnings({}, values, end) ==
        Lines{"config.reference_publishers: version 7 of publisher team has expired at 2027-01-15T08:00:00Z"});
}

TEST_CASE("what a running service can't take over is named") {
  verifier::Config running;
  running.listen = {.address = "127.0.0.1", .port = 1, .tls = verifier::TlsFiles{"a", "b"}, .trusted_proxies = {}};
  running.state_directory = "/state";
  verifier::Config config = running;
  config.listen.tls = verifier::TlsFiles{"c", "d"};
  config.issuer = "https://other.example";
  CHECK_NOTHROW(verifier::expect_unchanged(config, running));
  SECTION("address") {
    config.listen.address = "::1";
    CHECK_THROWS_WITH(verifier::expect_unchanged(config, running), ContainsSubstring("config.listen.address: can't"));
  }
  SECTION("port") {
    config.listen.port = 2;
    CHECK_THROWS_WITH(verifier::expect_unchanged(config, running), ContainsSubstring("config.listen.port"));
  }
  SECTION("TLS") {
    config.listen.tls.reset();
    CHECK_THROWS_WITH(verifier::expect_unchanged(config, running), ContainsSubstring("config.listen.certificate"));
  }
  SECTION("proxies") {
    config.listen.trusted_proxies = {*net::IpNetwork::parse("10.0.0.0/8")};
    CHECK_THROWS_WITH(verifier::expect_unchanged(config, running), ContainsSubstring("config.listen.trusted_proxies"));
  }
  SECTION("state") {
    config.state_directory = "/other";
    CHECK_THROWS_WITH(verifier::expect_unchanged(config, running), ContainsSubstring("config.state_directory"));
  }
}
