#include "verifier/service/configuration_check.h"

#include <fstream>

#include <openssl/pem.h>

#include "base/encoding.h"
#include "base/error.h"
#include "base/file.h"
#include "base/openssl.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/temporary_directory.h"
#include "tests/unit/support/tls.h"
#include "tests/unit/verifier/support/published_document.h"
#include "verifier/reference/seen_publications.h"
#include "verifier/service/config.h"

namespace {

using Lines = std::vector<std::string>;

constexpr const char* kImages = R"({"images": [{"name": "image", "swversion": 1, "hardened": true,
  "pcrs": {"sha256": {"4": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                      "9": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}}}]})";

/// A configuration with which a service would start, and what it names.
struct ConfigurationWorld {
  test::TemporaryDirectory folder;
  base::Json config;
  base::WallTime now = base::Clock::system().wall();

  ConfigurationWorld() {
    test::make_tls_files(folder.path());
    std::filesystem::permissions(path("server-key.pem"), std::filesystem::perms::owner_read);
    write("values.json", kImages);
    config = {
        {"issuer", "https://verifier.example"},
        {"listen",
         {{"address", "127.0.0.1"}, {"port", 0}, {"certificate", "server.pem"}, {"private_key", "server-key.pem"}}},
        {"state_directory", "state"},
        {"attestation_roots", {{{"file", "ca.pem"}, {"hwmodel", "SOFTWARE_TPM"}}}},
        {"reference_values", "values.json"}};
  }

  std::filesystem::path path(const std::string& name) const { return folder.path() / name; }
  void write(const std::string& name, std::string_view content) const { std::ofstream(path(name)) << content; }

  verifier::ConfigurationCheck check() const {
    write("config.json", config.dump());
    return verifier::check_configuration(path("config.json"), now);
  }
};

}  // namespace

TEST_CASE("with nothing wrong there is nothing to tell, and nothing is made") {
  const ConfigurationWorld world;
  const auto check = world.check();
  CHECK(check.errors == Lines{});
  CHECK(check.warnings == Lines{});
  CHECK_FALSE(std::filesystem::exists(world.path("state")));
}

TEST_CASE("all files that can't be used are told, not only the first") {
  ConfigurationWorld world;
  world.write("server-key.pem.other", "no key");
  world.config["listen"]["private_key"] = "server-key.pem.other";
  world.config["reference_values"] = {"values.json", "absent.json"};
  world.config["deny_list"] = "denied.json";
  world.write("denied.json", "{");
  world.write("ca.pem", "no certificate");
  const auto check = world.check();
  REQUIRE(check.errors.size() == 4);
  CHECK_THAT(check.errors[0], ContainsSubstring("config.listen.private_key: "));
  CHECK_THAT(check.errors[1], ContainsSubstring("ca.pem"));
  CHECK_THAT(check.errors[2], ContainsSubstring("absent.json"));
  CHECK_THAT(check.errors[3], ContainsSubstring("denied.json"));
  CHECK(check.warnings == Lines{});
}

TEST_CASE("what only shows when all files are read together is told") {
  ConfigurationWorld world;
  world.config["reference_values"] = {"values.json", "same.json"};
  world.write("same.json", kImages);
  REQUIRE(world.check().errors.size() == 1);
  CHECK_THAT(world.check().errors[0], ContainsSubstring("same.json"));
}

TEST_CASE("a configuration that can't be understood is one error, and one that can't be read is thrown") {
  ConfigurationWorld world;
  world.config["colour"] = "red";
  REQUIRE(world.check().errors.size() == 1);
  CHECK_THAT(world.check().errors[0], ContainsSubstring("config.colour"));
  CHECK_THROWS_WITH(verifier::check_configuration(world.path("nowhere.json"), world.now),
                    ContainsSubstring("nowhere.json"));
}

TEST_CASE("keys, the PKI and noted publications of the state folder are looked at as they are") {
  ConfigurationWorld world;
  const auto now = world.now;
  const verifier::KeyStore store(world.path("state"));
  store.open(now);
  const std::string keys = base::read_text_file(world.path("state/signing-keys.json"), 1 << 20);
  CHECK(world.check().errors == Lines{});
  SECTION("no key") {
    std::ofstream(world.path("state/signing-keys.json")) << R"({"keys": []})";
    REQUIRE(world.check().errors.size() == 1);
    CHECK_THAT(world.check().errors[0], ContainsSubstring("signing-keys.json holds no key"));
  }
  SECTION("keys that others may read") {
    std::filesystem::permissions(world.path("state/signing-keys.json"), std::filesystem::perms::others_read,
                                 std::filesystem::perm_options::add);
    REQUIRE(world.check().errors.size() == 1);
    CHECK_THAT(world.check().errors[0], ContainsSubstring("signing-keys.json"));
  }
  SECTION("keys of the first versions are not given dates") {
    base::Json old = base::Json::parse(keys);
    for (const char* member : {"created", "signs_from", "longest_token"}) old["keys"][0].erase(member);
    const std::string text = old.dump();
    std::ofstream(world.path("state/signing-keys.json")) << text;
    CHECK(world.check().errors == Lines{});
    CHECK(base::read_text_file(world.path("state/signing-keys.json"), 1 << 20) == text);
  }
  SECTION("half a PKI") {
    std::filesystem::create_directory(world.path("state/pki"));
    REQUIRE(world.check().errors.size() == 1);
    CHECK_THAT(world.check().errors[0], ContainsSubstring("pki"));
  }
  SECTION("a publication that is older than one that was in use") {
    const test::DocumentSigner signer;
    world.config["reference_publishers"] = {{{"name", "team"}, {"keys", "team.pem"}, {"document", "team.json"}}};
    world.write("team.pem", signer.public_pem());
    const std::string document = test::published(3, base::Json::array()).dump();
    world.write("team.json", document);
    world.write("team.json.sig", base::text_of(signer.sign(document)));
    CHECK(world.check().errors == Lines{});
    CHECK_FALSE(std::filesystem::exists(world.path("state/publications.json")));
    world.write("state/publications.json", R"({"team": {"version": 4, "sha256": "01"}})");
    REQUIRE(world.check().errors.size() == 1);
    CHECK_THAT(world.check().errors[0], ContainsSubstring("version 3 of its reference values is older than version 4"));
  }
}

TEST_CASE("where nothing is wrong, what the start would warn of is told") {
  ConfigurationWorld world;
  world.write("values.json", R"({"images": []})");
  std::filesystem::permissions(world.path("server-key.pem"), std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  const auto check = world.check();
  CHECK(check.errors == Lines{});
  REQUIRE(check.warnings.size() == 2);
  CHECK_THAT(check.warnings[0],
             ContainsSubstring("config.listen.private_key: ") && ContainsSubstring("server-key.pem"));
  CHECK_THAT(check.warnings[1], ContainsSubstring("no image is known"));
}
