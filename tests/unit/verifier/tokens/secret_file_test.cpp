#include "verifier/tokens/secret_file.h"

#include <fstream>

#include "base/error.h"
#include "base/private_directory.h"
#include "tests/unit/catch.h"

TEST_CASE("a secret is its owner's alone") {
  const base::PrivateDirectory directory("cs-test");
  const auto file = directory.path() / "secret";
  CHECK_THROWS_AS(verifier::expect_secret(file), base::SystemError);
  std::ofstream(file) << "x";
  for (const unsigned open : {0640U, 0604U, 0620U, 0602U, 0644U}) {
    std::filesystem::permissions(file, std::filesystem::perms(open));
    CHECK_THROWS_WITH(verifier::expect_secret(file), ContainsSubstring("is open to other users"));
  }
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  CHECK_NOTHROW(verifier::expect_secret(file));
}

TEST_CASE("a credential may be its group's as well") {
  const base::PrivateDirectory directory("cs-test");
  const auto file = directory.path() / "secret";
  std::ofstream(file) << "x";
  std::filesystem::permissions(file, std::filesystem::perms(0604));
  CHECK_THROWS_WITH(verifier::expect_secret_of_group(file), ContainsSubstring("is open to other users"));
  std::filesystem::permissions(file, std::filesystem::perms(0440));
  CHECK_NOTHROW(verifier::expect_secret_of_group(file));
}
