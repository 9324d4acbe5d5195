#include "verifier/service/issue_token.h"

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include <openssl/pem.h>

#include "base/error.h"
#include "base/private_directory.h"
#include "evidence/jose.h"
#include "evidence/request_binding.h"
#include "evidence/refusal.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/support/machine.h"

// What a request is answered with: tests/unit/verifier/service/api_verify_test.cpp.

namespace {

verifier::Knowledge knowledge_in(const std::filesystem::path& folder, const test::Machine& machine) {
  verifier::Config config;
  config.issuer = "https://verifier.example";
  config.endpoints = {"https://verifier.example:443", "https://also.example:8443"};
  config.state_directory = folder / "state";
  config.attestation_roots = {{folder / "root.pem", test::kSoftwareTpm}};
  config.reference_values = {folder / "values.json"};
  std::ofstream(config.reference_values[0]) << R"({"images":[]})";
  {
    const base::BioPtr pem(BIO_new_file(config.attestation_roots[0].file.c_str(), "w"));
    PEM_write_bio_X509(pem.get(), &machine.authority().certificate());
  }
  return verifier::Knowledge::load(config);
}

std::shared_ptr<const verifier::Signers> signers_of(const verifier::Config& config) {
  return verifier::open_signers(verifier::KeyStore(config.state_directory), config.keys, base::Clock::system().wall());
}

}  // namespace

TEST_CASE("several threads issue tokens with the same knowledge at the same time") {
  constexpr int kThreads = 4;
  constexpr int kTokens = 8;
  const base::PrivateDirectory directory("cs-test");
  test::Machine machine;
  const verifier::Knowledge knowledge = knowledge_in(directory.path(), machine);
  const base::Bytes nonce = base::random_bytes(32);
  const auto resource = verifier::parse_resource_path(
      "/v1/projects/my-project/locations/us-central1/challenges/c:verifyConfidentialSpace");
  REQUIRE(resource);
  const std::string body =
      evidence::VerifyRequest{machine.evidence(nonce), {}, {}}.to_json(*resource->challenge).dump();
  const auto signers = signers_of(knowledge.config);
  const auto keys = evidence::parse_jwks(signers->oidc.keys().jwks().dump(), "jwks");
  const base::WallTime now = base::Clock::system().wall();
  std::atomic<int> issued = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kTokens; ++j) {
        const auto token =
            verifier::issue_token(knowledge, *signers, knowledge.identity_tokens, *resource, body, nonce, now);
        const auto jwt = token.response.at("attestationToken").get<std::string>();
        if (evidence::verify_jwt(jwt, keys) == token.claims) ++issued;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(issued == kThreads * kTokens);
  CHECK_THROWS_AS(verifier::issue_token(knowledge, *signers, knowledge.identity_tokens, *resource, body,
                                        base::random_bytes(32), now),
                  evidence::Refusal);
}

namespace {

/// A request for one audience with evidence that was made for another, or for the same.
struct BoundRequest {
  BoundRequest() {
    asked.audience = "https://rp.example";
    asked.nonces = {"0123456789abcdef"};
    made_for = asked;
  }

  std::string body(const base::Bytes& qualifying_data) {
    return evidence::VerifyRequest{machine.evidence(qualifying_data), {}, asked}.to_json("c").dump();
  }
  /// The status of the answer; "OK" for a token.
  std::string issue(const verifier::Knowledge& knowledge, const base::Bytes& qualifying_data) {
    const auto resource = verifier::parse_resource_path(
        "/v1/projects/my-project/locations/us-central1/challenges/c:verifyConfidentialSpace");
    auto path = *resource;
    path.challenge = "c";
    try {
      verifier::issue_token(knowledge, *signers_of(knowledge.config), knowledge.identity_tokens, path,
                            body(qualifying_data), nonce, base::Clock::system().wall());
      return "OK";
    } catch (const evidence::StatusError& error) {
      return std::string(name_of(error.code()));
    }
  }

  test::Machine machine;
  base::Bytes nonce = base::random_bytes(32);
  evidence::TokenOptions asked;
  evidence::TokenOptions made_for;
};

}  // namespace

TEST_CASE("evidence that is bound to a service and a request is good for these only") {
  const base::PrivateDirectory directory("cs-test");
  BoundRequest request;
  verifier::Knowledge knowledge = knowledge_in(directory.path(), request.machine);
  bool is_required = false;
  SECTION("where binding is required") { is_required = true; }
  SECTION("where it is not") {}
  knowledge.config.require_request_binding = is_required;
  const auto bound = [&](const char* service) {
    return evidence::bound_qualifying_data(request.nonce, service, request.made_for);
  };
  CHECK(request.issue(knowledge, bound("https://verifier.example:443")) == "OK");
  CHECK(request.issue(knowledge, bound("https://also.example:8443")) == "OK");
  INFO("made for another service, audience, nonce or type of token");
  CHECK(request.issue(knowledge, bound("https://relay.example:443")) == "PERMISSION_DENIED");
  request.made_for.audience = "https://other.example";
  CHECK(request.issue(knowledge, bound("https://verifier.example:443")) == "PERMISSION_DENIED");
  request.made_for = request.asked;
  request.made_for.nonces = {"fedcba9876543210"};
  CHECK(request.issue(knowledge, bound("https://verifier.example:443")) == "PERMISSION_DENIED");
  request.made_for = request.asked;
  request.made_for.type = evidence::TokenType::kLimitedAws;
  CHECK(request.issue(knowledge, bound("https://verifier.example:443")) == "PERMISSION_DENIED");
  INFO("not bound at all");
  CHECK(request.issue(knowledge, request.nonce) == (is_required ? "PERMISSION_DENIED" : "OK"));
}
