#pragma once

#include <filesystem>

#include "base/clock.h"
#include "base/private_directory.h"
#include "verifier/tokens/pki.h"

namespace test {

/// When the authority of PkiFiles was made: before any test's time.
inline const base::WallTime kPkiMade = base::from_unix_seconds(1750000000);

/// A root and an intermediate, as cs-verifier pki init makes them. Made once, as long keys take long.
class PkiFiles {
 public:
  static const PkiFiles& shared() {
    static const PkiFiles one("Example");
    return one;
  }
  static const PkiFiles& other() {
    static const PkiFiles one("Other");
    return one;
  }

  std::filesystem::path root() const { return directory_.path() / "root"; }
  std::filesystem::path pki() const { return directory_.path() / "pki"; }

  /// Puts the intermediate where a service has it, and makes that folder.
  void copy_into(const std::filesystem::path& state_directory) const {
    std::filesystem::create_directory(state_directory);
    std::filesystem::permissions(state_directory, std::filesystem::perms::owner_all);
    std::filesystem::copy(pki(), state_directory / verifier::kPkiFolder);
  }

 private:
  explicit PkiFiles(const char* name) {
    verifier::make_pki_root(root(), name, kPkiMade);
    verifier::make_pki_intermediate(verifier::PkiRoot::load(root(), kPkiMade), pki(), kPkiMade);
  }

  base::PrivateDirectory directory_{"cs-test"};
};

}  // namespace test
