#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <openssl/pem.h>

#include "evidence/jose.h"
#include "evidence/messages.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"
#include "tests/unit/verifier/support/machine.h"
#include "tests/unit/verifier/support/pki_files.h"
#include "verifier/reference/recording.h"
#include "verifier/service/api.h"

namespace test {

inline constexpr const char* kLocation = "/v1/projects/my-project/locations/us-central1";

inline Machine& attested_machine() {
  static Machine one;
  return one;
}

/// The production API with its files in a private folder.
class ApiService {
 public:
  explicit ApiService(const std::function<void(verifier::Config&)>& change = [](verifier::Config&) {})
      : directory_("cs-test"), api_(make(change)) {}

  /// The files may have changed.
  void reload() { api_.use(load(config_), signers(config_)); }

  net::HttpResponse send(std::string method, std::string path, std::string body = {}, std::string query = {}) {
    net::HttpServerRequest request{std::move(method), std::move(path), std::move(query), {}, std::move(body)};
    return run(context_, api_.handle(request));
  }

  verifier::Config& config() noexcept { return config_; }
  const verifier::Api& api() const noexcept { return api_; }

  net::HttpAdmission admit(std::string method, std::string path) {
    return api_.admit({std::move(method), std::move(path), {}, {}, {}});
  }

  base::Json get(const std::string& path) { return base::Json::parse(send("GET", path).body); }

  evidence::Challenge challenge(const std::string& location = kLocation) {
    const base::Json json = base::Json::parse(send("POST", location + "/challenges", "{}").body);
    return evidence::Challenge::parse(base::JsonObject(json, "challenge"));
  }

  net::HttpResponse verify(const evidence::Challenge& challenge, const base::Json& body) {
    return send("POST", "/v1/" + challenge.name + ":verifyConfidentialSpace", body.dump());
  }

  /// Answers a challenge as the machine does.
  net::HttpResponse attest(const evidence::TokenOptions& options = {}) {
    const auto given = challenge();
    return verify(given, request(given, options));
  }

  static base::Json request(const evidence::Challenge& challenge, const evidence::TokenOptions& options = {},
                            const std::vector<std::string>& id_tokens = {}) {
    return evidence::VerifyRequest{attested_machine().evidence(challenge.nonce), id_tokens, options}.to_json(
        challenge.name);
  }

  base::Json claims_of(const net::HttpResponse& response) {
    REQUIRE(response.status == 200);
    const auto keys = evidence::parse_jwks(send("GET", "/.well-known/jwks.json").body, "jwks");
    return evidence::verify_jwt(base::Json::parse(response.body)["attestationToken"].get<std::string>(), keys);
  }

 private:
  verifier::Api make(const std::function<void(verifier::Config&)>& change) {
    verifier::Config config;
    config.issuer = "https://verifier.example";
    config.state_directory = directory_.path() / "state";
    config.attestation_roots = {{directory_.path() / "root.pem", kSoftwareTpm}};
    config.reference_values = {directory_.path() / "values.json"};
    auto value = verifier::reference_value_of(measure::decode_boot_log(recorded_boot_log()));
    value.name = "recorded";
    value.swversion = 260100;
    value.hardened = true;
    std::ofstream(config.reference_values[0]) << base::Json{{"images", {value.to_json()}}};
    const base::BioPtr pem(BIO_new_file(config.attestation_roots[0].file.c_str(), "w"));
    PEM_write_bio_X509(pem.get(), &attested_machine().authority().certificate());
    BIO_flush(pem.get());
    change(config);
    config_ = config;
    return {context_.get_executor(), load(config), signers(config), base::Clock::system(), appraisers_};
  }

  static std::shared_ptr<const verifier::Knowledge> load(const verifier::Config& config) {
    return std::make_shared<const verifier::Knowledge>(verifier::Knowledge::load(config));
  }

  static std::shared_ptr<const verifier::Signers> signers(const verifier::Config& config) {
    return verifier::open_signers(verifier::KeyStore(config.state_directory), config.keys,
                                  base::Clock::system().wall());
  }

  base::PrivateDirectory directory_;
  asio::io_context context_;
  verifier::Appraisers appraisers_{context_.get_executor(), 1};
  verifier::Config config_;
  verifier::Api api_;
};

inline std::string verify_path(const evidence::Challenge& challenge) {
  return "/v1/" + challenge.name + ":verifyConfidentialSpace";
}

/// Of any kind, at any depth.
inline std::size_t values_in(const base::Json& json) {
  std::size_t count = 1;
  if (json.is_structured()) {
    for (const base::Json& value : json) count += values_in(value);
  }
  return count;
}

inline std::string error_of(const net::HttpResponse& response) {
  const base::Json error = base::Json::parse(response.body).at("error");
  CHECK(error.at("code") == response.status);
  return error.at("status").get<std::string>() + ": " + error.at("message").get<std::string>();
}

inline std::string reason_of(const net::HttpResponse& response) {
  const base::Json info = base::Json::parse(response.body).at("error").at("details").at(0);
  CHECK(info.at("@type") == "type.googleapis.com/google.rpc.ErrorInfo");
  CHECK(info.at("domain") == "confidentialcomputing.googleapis.com");
  return info.at("reason").get<std::string>();
}

/// As the service's state has it.
inline void make_pki(const verifier::Config& config) { PkiFiles::shared().copy_into(config.state_directory); }

inline evidence::TokenOptions options_of(evidence::TokenType type, std::vector<std::string> key_ids = {}) {
  return {.audience = "https://rp.example", .nonces = {}, .type = type, .signature_key_ids = std::move(key_ids)};
}

}  // namespace test
