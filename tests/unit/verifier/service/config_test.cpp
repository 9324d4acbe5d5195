#include "verifier/service/config.h"

#include <fstream>

#include "base/error.h"
#include "base/json.h"
#include "base/private_directory.h"
#include "tests/unit/catch.h"

namespace {

using base::Json;
using verifier::Config;

Json complete() {
  return {{"issuer", "https://verifier.example:8443"},
          {"listen",
           {{"address", "0.0.0.0"}, {"port", 8443}, {"certificate", "server.pem"}, {"private_key", "/abs/key.pem"}}},
          {"state_directory", "state"},
          {"attestation_roots", {{{"file", "root.pem"}, {"platform", "GCE"}}}},
          {"reference_values", "values.json"}};
}

Config parse_config(const Json& json) { return Config::parse(json.dump(), "/etc/cs-verifier"); }

std::string refusal_of_config(const Json& json) {
  try {
    parse_config(json);
    return "accepted";
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

std::string refusal_of_key(const char* key, const Json& value) {
  Json changed = complete();
  changed[key] = value;
  return refusal_of_config(changed);
}

}  // namespace

TEST_CASE("a configuration is read, paths relative to its folder") {
  const Config config = parse_config(complete());
  CHECK(config.issuer == "https://verifier.example:8443");
  CHECK(config.listen.port == 8443);
  CHECK(config.listen.tls->certificate == "/etc/cs-verifier/server.pem");
  CHECK(config.listen.tls->private_key == "/abs/key.pem");
  CHECK(config.state_directory == "/etc/cs-verifier/state");
  REQUIRE(config.attestation_roots.size() == 1);
  CHECK(config.attestation_roots[0].file == "/etc/cs-verifier/root.pem");
  CHECK_FALSE(config.attestation_roots[0].hwmodel);
  CHECK(config.keys.token_lifetime.count() == 3600);
  CHECK(config.challenge_lifetime.count() == 300);
  CHECK(config.locations.empty());
  CHECK_FALSE(config.require_secure_boot);
  CHECK(config.endpoints == std::vector<std::string>{"https://verifier.example:8443"});
  CHECK_FALSE(config.require_request_binding);
}

TEST_CASE("reference values are one file or a list of files") {
  using Files = std::vector<std::filesystem::path>;
  CHECK(parse_config(complete()).reference_values == Files{"/etc/cs-verifier/values.json"});
  Json json = complete();
  json["reference_values"] = {"one.json", "/abs/two.json"};
  CHECK(parse_config(json).reference_values == Files{"/etc/cs-verifier/one.json", "/abs/two.json"});
  CHECK_THAT(refusal_of_key("reference_values", Json::array()),
             ContainsSubstring("config.reference_values: names no file"));
  CHECK_THAT(refusal_of_key("reference_values", {"one.json", 2}), ContainsSubstring("config.reference_values"));
  CHECK_THAT(refusal_of_key("reference_values", Json::object()), ContainsSubstring("config.reference_values"));
}

TEST_CASE("an attestation root says whose machines it vouches for") {
  const auto refusal_of_root = [](const Json& root) {
    return refusal_of_key("attestation_roots", Json::array({{{"file", "a.pem"}, {"platform", "GCE"}}, root}));
  };
  const auto with_model = [&](const std::string& model) {
    return refusal_of_root({{"file", "b.pem"}, {"hwmodel", model}});
  };
  Json json = complete();
  json["attestation_roots"] = Json::array({{{"file", "/abs/b.pem"}, {"hwmodel", "SOFTWARE_TPM"}}});
  CHECK(parse_config(json).attestation_roots[0].file == "/abs/b.pem");
  CHECK(parse_config(json).attestation_roots[0].hwmodel == "SOFTWARE_TPM");
  for (const std::string model :
       {"GCP_SHIELDED_VM", "GCP_AMD_SEV", "GCP_AMD_SEV_ES", "GCP_INTEL_TDX", "my-board_2.1"}) {
    CHECK(with_model(model) == "accepted");
  }
  CHECK(with_model(std::string(64, 'a')) == "accepted");
  const std::string field = "config.attestation_roots[1].hwmodel: ";
  for (const std::string& model :
       {std::string(65, 'a'), std::string(), std::string("a b"), std::string("a\"b"), std::string("\xc3\xa9"),
        std::string("GCP_AMD_SEV_SNP"), std::string("GCP_"), std::string("gcp_shielded_vm")}) {
    CAPTURE(model);
    CHECK_THAT(with_model(model), ContainsSubstring(field));
  }
  CHECK_THAT(refusal_of_root({{"file", "b.pem"}, {"platform", "AWS"}}),
             ContainsSubstring("config.attestation_roots[1].platform: is not \"GCE\""));
  for (const Json& root : {Json{{"file", "b.pem"}}, Json{{"file", "b.pem"}, {"platform", "GCE"}, {"hwmodel", "X"}}}) {
    CHECK_THAT(refusal_of_root(root),
               ContainsSubstring("config.attestation_roots[1]: takes either \"platform\": \"GCE\" or \"hwmodel\""));
  }
  CHECK_THAT(refusal_of_root({{"platform", "GCE"}}), ContainsSubstring("config.attestation_roots[1].file"));
  CHECK_THAT(refusal_of_root({{"file", "b.pem"}, {"hwmodel", "X"}, {"colour", 1}}), ContainsSubstring("colour"));
  CHECK_THAT(refusal_of_root(1), ContainsSubstring("config.attestation_roots[1]"));
  CHECK_THAT(refusal_of_root("b.pem"), ContainsSubstring(R"(config.attestation_roots: a path alone does not say)") &&
                                           ContainsSubstring(R"({"file": "b.pem", "hwmodel": "SOFTWARE_TPM"})"));
}

TEST_CASE("optional settings are read") {
  Json json = complete();
  json["token_lifetime_seconds"] = 60;
  json["challenge_lifetime_seconds"] = 30;
  json["identity_token_issuers"] = Json::array({{{"issuer", "https://accounts.google.com"}, {"jwks", "google.json"}}});
  json["locations"] = {"us-central1"};
  json["require_secure_boot"] = true;
  json["endpoints"] = {"https://inside.example", "http://127.0.0.1:8080"};
  json["require_request_binding"] = true;
  const Config config = parse_config(json);
  CHECK(config.keys.token_lifetime.count() == 60);
  CHECK(config.challenge_lifetime.count() == 30);
  REQUIRE(config.identity_token_issuers.size() == 1);
  CHECK(config.identity_token_issuers[0].jwks == "/etc/cs-verifier/google.json");
  CHECK(config.locations == std::vector<std::string>{"us-central1"});
  CHECK(config.require_secure_boot);
  CHECK(config.endpoints == std::vector<std::string>{"https://inside.example:443", "http://127.0.0.1:8080"});
  CHECK(config.require_request_binding);
}

TEST_CASE("the URLs by which launchers call are as they are in their own configuration") {
  CHECK_THAT(refusal_of_key("endpoints", {"http://verifier.example"}),
             ContainsSubstring("config.endpoints: plain http"));
  CHECK_THAT(refusal_of_key("endpoints", {"https://verifier.example/v1"}), ContainsSubstring("config.endpoints"));
  CHECK_THAT(refusal_of_key("endpoints", Json(std::vector<std::string>(17, "https://v.example"))),
             ContainsSubstring("config.endpoints: are too many"));
  CHECK_THAT(refusal_of_key("require_request_binding", "yes"), ContainsSubstring("config.require_request_binding"));
}

TEST_CASE("what is wrong in a configuration is told by its field") {
  CHECK_THAT(refusal_of_key("colour", 1), ContainsSubstring("config.colour: unknown field"));
  CHECK_THAT(refusal_of_key("issuer", "verifier"), ContainsSubstring("config.issuer"));
  CHECK_THAT(refusal_of_key("issuer", "https://verifier.example/"), ContainsSubstring("config.issuer"));
  CHECK(refusal_of_key("issuer", "https://storage.example/bucket/folder") == "accepted");
  for (const char* path : {"/a/", "//a", "/a//b", "/../a", "/a?b", "/a#b", "/a%20b", "/a b"}) {
    CAPTURE(path);
    CHECK_THAT(refusal_of_key("issuer", std::string("https://verifier.example") + path),
               ContainsSubstring("config.issuer"));
  }
  CHECK_THAT(refusal_of_key("issuer", "http://verifier.example"), ContainsSubstring("config.issuer"));
  for (const char* origin : {"https://verifier.example?x", "https://verifier.example#x", "https://verifier.example:",
                             "HTTPS://verifier.example", "https://ver%69fier.example", "https://a@verifier.example"}) {
    CAPTURE(origin);
    CHECK_THAT(refusal_of_key("issuer", origin), ContainsSubstring("config.issuer"));
  }
  CHECK(refusal_of_key("issuer", "https://[2001:db8::1]:8443") == "accepted");
  CHECK_THAT(refusal_of_key("state_directory", ""), ContainsSubstring("config.state_directory: is empty"));
  CHECK(refusal_of_key("issuer", "http://127.0.0.1:1") == "accepted");
  CHECK_THAT(refusal_of_key("attestation_roots", Json::array()), ContainsSubstring("config.attestation_roots"));
  CHECK_THAT(refusal_of_key("token_lifetime_seconds", 0), ContainsSubstring("config.token_lifetime_seconds"));
  CHECK_THAT(refusal_of_key("token_lifetime_seconds", 86401), ContainsSubstring("config.token_lifetime_seconds"));
  CHECK_THAT(refusal_of_key("challenge_lifetime_seconds", 3601),
             ContainsSubstring("config.challenge_lifetime_seconds"));
  CHECK_THAT(refusal_of_key("key_publication_seconds", 1), ContainsSubstring("is not between 2 and 604800 seconds"));
  CHECK(refusal_of_key("key_publication_seconds", 2) == "accepted");
  CHECK(refusal_of_key("key_lifetime_seconds", 7200 + 3600) == "accepted");
  CHECK_THAT(refusal_of_key("key_lifetime_seconds", 7200 + 3599), ContainsSubstring("together"));
  const auto issuers = [](base::Json issuer) {
    return refusal_of_key("identity_token_issuers", base::Json::array({std::move(issuer)}));
  };
  CHECK(issuers({{"issuer", "https://accounts.google.com"}}) == "accepted");
  CHECK(issuers({{"issuer", "accounts.google.com"}}) == "accepted");
  CHECK(issuers({{"issuer", "https://accounts.example"}, {"ca", "ca.pem"}}) == "accepted");
  CHECK_THAT(issuers({{"issuer", "http://accounts.example"}}), ContainsSubstring("over https only"));
  CHECK_THAT(issuers({{"issuer", "https://a.example"}, {"ca", "ca.pem"}, {"jwks", "k.json"}}),
             ContainsSubstring("identity_token_issuers[0].ca: is for an issuer without jwks"));
  CHECK_THAT(
      refusal_of_key("identity_token_issuers",
                     Json::array({{{"issuer", "https://a.example"}, {"jwks", "k.json"}}, {{"issuer", "a.example"}}})),
      ContainsSubstring("identity_token_issuers[1].issuer: \"a.example\" stands twice"));
  CHECK_THAT(refusal_of_key("on_deprecated", "warn"), ContainsSubstring("neither \"say_gce\" nor \"refuse\""));
  CHECK(refusal_of_key("on_deprecated", "refuse") == "accepted");
  for (const char* location : {"a/b", "..", ".", ""}) {
    CHECK_THAT(refusal_of_key("locations", Json::array({location})), ContainsSubstring("config.locations"));
  }
  CHECK_THAT(refusal_of_key("locations", {"a", "b", "a"}), ContainsSubstring("config.locations: \"a\" stands twice"));
  for (const char* address : {"", "localhost", "127.1", "10.0.0.0/8"}) {
    CHECK_THAT(refusal_of_key("listen", {{"address", address}, {"port", 1}}),
               ContainsSubstring(std::string("config.listen.address: \"") + address + "\" is no IP address"));
  }
  CHECK_THAT(refusal_of_key("listen", {{"address", "127.0.0.1"}, {"port", 65536}}),
             ContainsSubstring("config.listen.port"));
  CHECK_THAT(refusal_of_key("listen", {{"address", "0.0.0.0"}, {"port", 1}}),
             ContainsSubstring("config.listen.certificate"));
  CHECK(refusal_of_key("listen", {{"address", "127.0.0.1"}, {"port", 0}}) == "accepted");
  for (const char* key : {"issuer", "listen", "state_directory", "reference_values"}) {
    CHECK_THAT(refusal_of_key(key, nullptr), ContainsSubstring(std::string("config.") + key));
  }
}

TEST_CASE("what is wrong with a configuration is told with its file") {
  const base::PrivateDirectory directory("cs-test");
  const auto file = directory.path() / "config.json";
  Json json = complete();
  json["colour"] = 1;
  std::ofstream(file) << json;
  CHECK_THROWS_WITH(Config::load(file), file.string() + ": config.colour: unknown field");
  std::ofstream(file) << "{\n  oops\n}\n";
  CHECK_THROWS_WITH(Config::load(file), file.string() + ": config: not valid JSON at byte 5, line 2, column 3");
}

TEST_CASE("keys may be on a token") {
  const Json pkcs11 = {{"module", "/usr/lib/hsm.so"}, {"token", "pkcs11:token=signing"}, {"pin_file", "pin"}};
  Json json = complete();
  json["pkcs11"] = pkcs11;
  const Config config = parse_config(json);
  CHECK(config.pkcs11 == verifier::Pkcs11Config{"/usr/lib/hsm.so", "pkcs11:token=signing", "/etc/cs-verifier/pin"});
  CHECK_THROWS_WITH(verifier::key_store_of(config),
                    ContainsSubstring("pkcs11.module: /usr/lib/hsm.so can't be loaded"));
  CHECK_FALSE(parse_config(complete()).pkcs11);
  for (const char* key : {"module", "token", "pin_file"}) {
    Json without = pkcs11;
    without.erase(key);
    CHECK_THAT(refusal_of_key("pkcs11", without), ContainsSubstring(std::string("config.pkcs11.") + key));
  }
  Json with_more = pkcs11;
  with_more["pin"] = "123456";
  CHECK_THAT(refusal_of_key("pkcs11", with_more), ContainsSubstring("config.pkcs11.pin: unknown field"));
}

TEST_CASE("trusted proxies are networks") {
  const auto refusal_of_proxies = [](const Json& networks) {
    return refusal_of_key("listen", {{"address", "127.0.0.1"}, {"port", 1}, {"trusted_proxies", networks}});
  };
  CHECK(parse_config(complete()).listen.trusted_proxies.empty());
  Json json = complete();
  json["listen"]["trusted_proxies"] = {"10.0.0.0/8", "fd00::/8"};
  const auto networks = parse_config(json).listen.trusted_proxies;
  REQUIRE(networks.size() == 2);
  CHECK(networks[0].contains(asio::ip::make_address("10.1.2.3")));
  CHECK(networks[1].contains(asio::ip::make_address("fd00::1")));
  for (const std::string network :
       {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "fd00::/129", "localhost/8", "10.0.0.0/8 ", "10.0.0/8"}) {
    CAPTURE(network);
    CHECK_THAT(refusal_of_proxies(Json::array({network})),
               ContainsSubstring("config.listen.trusted_proxies: \"" + network + "\" is no network"));
  }
  CHECK_THAT(refusal_of_proxies("10.0.0.0/8"), ContainsSubstring("config.listen.trusted_proxies"));
  CHECK(refusal_of_proxies(Json(64, "10.0.0.0/8")) == "accepted");
  CHECK_THAT(refusal_of_proxies(Json(65, "10.0.0.0/8")),
             ContainsSubstring("config.listen.trusted_proxies: are too many"));
}

TEST_CASE("publishers of reference values have names, keys and documents") {
  Json json = complete();
  json["reference_publishers"] = {{{"name", "team"}, {"keys", "team.pem"}, {"document", "/abs/team.json"}}};
  const verifier::Config config = parse_config(json);
  REQUIRE(config.reference_publishers.size() == 1);
  CHECK(config.reference_publishers[0].name == "team");
  CHECK(config.reference_publishers[0].keys == "/etc/cs-verifier/team.pem");
  CHECK(config.reference_publishers[0].document == "/abs/team.json");
  json.erase("reference_values");
  CHECK(parse_config(json).reference_values.empty());
  const Json one = {{"name", "team"}, {"keys", "k"}, {"document", "d"}};
  CHECK_THAT(refusal_of_key("reference_publishers", Json::array({one, one})),
             ContainsSubstring("config.reference_publishers[1].name: \"team\" stands twice"));
  Json wrong = one;
  wrong["name"] = "a b";
  CHECK_THAT(refusal_of_key("reference_publishers", Json::array({wrong})),
             ContainsSubstring("config.reference_publishers[0].name: is not 1 to 64 letters"));
  wrong = one;
  wrong.erase("keys");
  CHECK_THAT(refusal_of_key("reference_publishers", Json::array({wrong})),
             ContainsSubstring("config.reference_publishers[0].keys"));
  Json many = Json::array();
  for (int i = 0; i < 65; ++i) many.push_back({{"name", std::to_string(i)}, {"keys", "k"}, {"document", "d"}});
  CHECK_THAT(refusal_of_key("reference_publishers", many), ContainsSubstring("are too many"));
}
