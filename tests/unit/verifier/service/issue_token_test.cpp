#include "verifier/service/issue_token.h"

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include <openssl/pem.h>

#include "base/error.h"
#include "base/private_directory.h"
#include "evidence/jose.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/support/machine.h"

// What a request is answered with: tests/unit/verifier/service/api_test.cpp.

namespace {

verifier::Knowledge knowledge_in(const std::filesystem::path& folder, const test::Machine& machine) {
  verifier::Config config;
  config.issuer = "https://verifier.example";
  config.state_directory = folder / "state";
  config.attestation_roots = {{folder / "root.pem", test::kSoftwareTpm}};
  config.reference_values = {folder / "values.json"};
  std::ofstream(config.reference_values[0]) << R"({"images":[]})";
  {
    const base::BioPtr pem(BIO_new_file(config.attestation_roots[0].file.c_str(), "w"));
    PEM_write_bio_X509(pem.get(), &machine.authority().certificate());
  }
  return verifier::Knowledge::load(config, verifier::SigningKeys::open(config.state_directory));
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
  const auto keys = evidence::parse_jwks(knowledge.oidc_signer.jwks().dump(), "jwks");
  const base::WallTime now = base::Clock::system().wall();
  std::atomic<int> issued = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kTokens; ++j) {
        const auto token = verifier::issue_token(knowledge, *resource, body, nonce, now);
        const auto jwt = token.response.at("attestationToken").get<std::string>();
        if (evidence::verify_jwt(jwt, keys) == token.claims) ++issued;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(issued == kThreads * kTokens);
  CHECK_THROWS_AS(verifier::issue_token(knowledge, *resource, body, base::random_bytes(32), now), base::InvalidInput);
}
