#include "verifier/tokens/pki.h"

#include <chrono>
#include <fstream>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/support/pki_files.h"

namespace {

using namespace std::chrono_literals;
using verifier::PkiAuthority;

const base::WallTime kPkiNow = test::kPkiMade;

struct Folders {
  base::PrivateDirectory directory{"cs-test"};
  std::filesystem::path root = directory.path() / "root";
  std::filesystem::path pki = directory.path() / "pki";

  explicit Folders(const test::PkiFiles& files = test::PkiFiles::shared()) {
    std::filesystem::copy(files.root(), root);
    std::filesystem::copy(files.pki(), pki);
  }

  std::string failure(base::WallTime now = kPkiNow) const {
    try {
      PkiAuthority::load(pki, now);
      return "loaded";
    } catch (const base::Error& error) {
      return error.what();
    }
  }
};

}  // namespace

TEST_CASE("a root signs an intermediate, and its key is not needed any more") {
  const Folders folders;
  std::filesystem::remove_all(folders.root);
  const PkiAuthority authority = PkiAuthority::load(folders.pki, kPkiNow);
  CHECK(base::certificate_common_name(*authority.root) == "Example Root CA");
  CHECK(base::certificate_common_name(*authority.intermediate) == "Example Root CA Intermediate");
  CHECK(base::validity_of(*authority.root).not_after == kPkiNow + verifier::kRootLifetime);
  CHECK(base::validity_of(*authority.intermediate).not_after == kPkiNow + verifier::kIntermediateLifetime);
  CHECK(X509_verify(authority.intermediate.get(), X509_get0_pubkey(authority.root.get())) == 1);
  CHECK_FALSE(std::filesystem::exists(folders.pki / "root-key.pem"));
  const auto mode = std::filesystem::status(folders.pki / "intermediate-key.pem").permissions();
  CHECK(mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("an intermediate is renewed under the same root, and ends with it") {
  const Folders folders;
  const auto first = PkiAuthority::load(folders.pki, kPkiNow);
  const base::WallTime later = kPkiNow + verifier::kRootLifetime - 24h;
  CHECK_THAT(folders.failure(later), ContainsSubstring("intermediate.pem has expired at "));
  verifier::make_pki_intermediate(verifier::PkiRoot::load(folders.root, later), folders.pki, later);
  const auto second = PkiAuthority::load(folders.pki, later);
  CHECK(X509_cmp(first.root.get(), second.root.get()) == 0);
  CHECK(X509_cmp(first.intermediate.get(), second.intermediate.get()) != 0);
  CHECK(base::validity_of(*second.intermediate).not_after == kPkiNow + verifier::kRootLifetime);
  CHECK_THROWS_WITH(
      verifier::make_pki_intermediate(verifier::PkiRoot::load(folders.root, later + 24h), folders.pki, later + 24h),
      ContainsSubstring("root.pem has expired"));
}

TEST_CASE("neither a root nor the root of tokens is replaced by accident") {
  const Folders folders;
  CHECK_THROWS_WITH(verifier::make_pki_root(folders.root, "Example", kPkiNow), ContainsSubstring("is there already"));
  CHECK_THROWS_WITH(verifier::make_pki_intermediate(verifier::PkiRoot::load(test::PkiFiles::other().root(), kPkiNow),
                                                    folders.pki, kPkiNow),
                    ContainsSubstring("is another root"));
  CHECK(folders.failure() == "loaded");
}

TEST_CASE("files that are missing, open to others or of another authority are refused by name") {
  const Folders folders;
  SECTION("missing") {
    std::filesystem::remove(folders.pki / "root.pem");
    CHECK_THAT(folders.failure(), ContainsSubstring("root.pem"));
  }
  SECTION("open") {
    std::filesystem::permissions(folders.pki / "intermediate-key.pem", std::filesystem::perms(0640));
    CHECK_THAT(folders.failure(), ContainsSubstring("intermediate-key.pem is open to other users"));
  }
  SECTION("another's key") {
    const Folders other(test::PkiFiles::other());
    std::filesystem::copy(other.pki / "intermediate-key.pem", folders.pki / "intermediate-key.pem",
                          std::filesystem::copy_options::overwrite_existing);
    CHECK_THAT(folders.failure(), ContainsSubstring("intermediate-key.pem is not the key of its certificate"));
  }
  SECTION("another's root") {
    const Folders other(test::PkiFiles::other());
    std::filesystem::copy(other.pki / "root.pem", folders.pki / "root.pem",
                          std::filesystem::copy_options::overwrite_existing);
    CHECK_THAT(folders.failure(), ContainsSubstring("intermediate.pem was not signed by the root beside it"));
  }
  SECTION("not yet valid") {
    CHECK_THAT(folders.failure(kPkiNow - 2h), ContainsSubstring("root.pem is not valid before "));
  }
}

TEST_CASE("a name fits into a certificate") {
  const base::PrivateDirectory directory("cs-test");
  CHECK_THROWS_WITH(verifier::make_pki_root(directory.path() / "a", std::string(41, 'a'), kPkiNow),
                    "name: has not 1 to 40 bytes");
  CHECK_THROWS_WITH(verifier::make_pki_root(directory.path() / "b", "", kPkiNow), "name: has not 1 to 40 bytes");
  verifier::make_pki_root(directory.path() / "c", std::string(40, 'a'), kPkiNow);
  CHECK_NOTHROW(verifier::make_pki_intermediate(verifier::PkiRoot::load(directory.path() / "c", kPkiNow),
                                                directory.path() / "pki", kPkiNow));
}
