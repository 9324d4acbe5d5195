#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/certificate.h"
#include "base/clock.h"
#include "base/openssl.h"

namespace verifier {

// The public key infrastructure of PKI tokens: root, intermediate, and leaves that sign tokens. Relying parties keep
// the root's certificate; leaf and intermediate come with each token. RSA, as contract and clients have it.
//
//   a folder of the root's   root.pem, root-key.pem: needed to make intermediates, and best kept elsewhere
//   STATE/pki                root.pem, intermediate.pem, intermediate-key.pem

inline constexpr const char* kPkiFolder = "pki";
inline constexpr std::chrono::hours kRootLifetime{24 * 3650};
inline constexpr std::chrono::hours kIntermediateLifetime{24 * 1095};
/// How long before an intermediate ends the log begins to say so.
inline constexpr std::chrono::hours kIntermediateWarning{24 * 120};

/// Makes a root in `root_folder`, which has none yet. `name` stands in its subject. Throws Error.
void make_pki_root(const std::filesystem::path& root_folder, const std::string& name, base::WallTime now);

/// What signs intermediates.
struct PkiRoot {
  base::X509Ptr certificate;
  base::EvpPkeyPtr key;

  /// Throws Error that names the file when one is missing, does not fit the other or has expired.
  static PkiRoot load(const std::filesystem::path& root_folder, base::WallTime now);
};

/// Makes an intermediate under that root, and puts it with the root's certificate into `pki_folder`. One that stands
/// there is replaced if it is of the same root. Throws Error.
void make_pki_intermediate(const PkiRoot& root, const std::filesystem::path& pki_folder, base::WallTime now);

/// What signs leaves.
struct PkiAuthority {
  base::X509Ptr root;
  base::X509Ptr intermediate;
  base::EvpPkeyPtr key;  ///< the intermediate's

  /// Throws Error that names the file when one is missing, open to others, does not fit the others or has expired.
  static PkiAuthority load(const std::filesystem::path& pki_folder, base::WallTime now);
};

}  // namespace verifier
