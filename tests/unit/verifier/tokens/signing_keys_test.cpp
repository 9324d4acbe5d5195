#include "verifier/tokens/signing_keys.h"

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/private_directory.h"
#include "tests/unit/catch.h"

using verifier::SigningKeys;

TEST_CASE("a signing key is made once, kept secret and found again") {
  const base::PrivateDirectory directory("cs-test");
  const auto state = directory.path() / "state";
  const SigningKeys made = SigningKeys::open(state);
  const SigningKeys found = SigningKeys::open(state);
  CHECK(made.active().key_id() == found.active().key_id());
  const auto mode = std::filesystem::status(state / verifier::kSigningKeysFile).permissions();
  CHECK(mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));

  const auto published = evidence::parse_jwks(made.jwks().dump(), "jwks");
  const std::string jwt = evidence::sign_jwt(found.active(), evidence::jwt_header(found.active()), {{"a", 1}});
  CHECK(evidence::verify_jwt(jwt, published) == base::Json{{"a", 1}});
  CHECK_FALSE(made.jwks()["keys"][0].contains("d"));
}

TEST_CASE("every key of the file is published, the first signs") {
  const base::PrivateDirectory directory("cs-test");
  const evidence::Jwk first = evidence::Jwk::generate_rsa(2048);
  const evidence::Jwk second = evidence::Jwk::generate_rsa(2048);
  const auto file = directory.path() / verifier::kSigningKeysFile;
  std::ofstream(file) << R"({"keys":[)" << first.private_json() << "," << second.private_json() << "]}";
  std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const SigningKeys keys = SigningKeys::open(directory.path());
  CHECK(keys.active().key_id() == first.key_id());
  CHECK(keys.jwks()["keys"].size() == 2);
}

TEST_CASE("a key file that is open to others, empty, public or broken is refused") {
  const base::PrivateDirectory directory("cs-test");
  const auto file = directory.path() / verifier::kSigningKeysFile;
  const auto write = [&](const std::string& text, unsigned mode = 0600) {
    std::ofstream(file) << text;
    std::filesystem::permissions(file, std::filesystem::perms(mode));
  };
  CHECK_THROWS_WITH(SigningKeys::read(directory.path()), ContainsSubstring("No such file"));
  CHECK_FALSE(std::filesystem::exists(file));
  write(R"({"keys":[]})", 0640);
  CHECK_THROWS_WITH(SigningKeys::open(directory.path()), ContainsSubstring("open to other users"));
  write(R"({"keys":[]})");
  CHECK_THROWS_WITH(SigningKeys::open(directory.path()), ContainsSubstring("holds no key"));
  write("{");
  CHECK_THROWS_AS(SigningKeys::open(directory.path()), base::InvalidInput);
  write(evidence::jwks_json({[] {
          static const evidence::Jwk key = evidence::Jwk::generate_rsa(2048);
          return &key;
        }()})
            .dump());
  CHECK_THROWS_WITH(SigningKeys::open(directory.path()), ContainsSubstring("does not sign"));
}
