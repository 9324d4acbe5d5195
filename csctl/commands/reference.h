#pragma once

#include <optional>
#include <string>
#include <vector>

#include "csctl/screen/exit_code.h"
#include "csctl/screen/screen.h"

namespace csctl {

/// Where the signature of a document stands.
inline std::string signature_file_of(const std::string& document) { return document + ".sig"; }

struct ReferenceAddOptions {
  std::string document;
  std::vector<std::string> entries;  ///< files
  bool json = false;
};
/// Makes the document where there is none.
ExitCode add_reference(const ReferenceAddOptions& options, Screen& screen);

struct ReferenceDeprecateOptions {
  std::string document;
  std::vector<std::string> names;
  bool json = false;
};
ExitCode deprecate_reference(const ReferenceDeprecateOptions& options, Screen& screen);

struct ReferenceSignOptions {
  std::string document;
  std::string key;  ///< a file
  std::optional<std::string> publisher;
  std::optional<std::uint64_t> version;
  std::string expires;  ///< empty: as before
  std::optional<std::uint64_t> days;
  bool json = false;
};
/// Writes the document as its publisher's next publication, and its signature beside it.
ExitCode sign_reference(const ReferenceSignOptions& options, Screen& screen);

struct ReferenceListOptions {
  std::string document;
  std::string at;  ///< empty: now
  bool json = false;
};
ExitCode list_reference(const ReferenceListOptions& options, Screen& screen);

struct ReferenceVerifyOptions {
  std::string document;
  std::string keys;       ///< a file; empty: nobody's signature is asked for
  std::string signature;  ///< a file; empty: beside the document
  std::string at;         ///< empty: now
  bool json = false;
};
ExitCode verify_reference(const ReferenceVerifyOptions& options, Screen& screen);

struct ReferenceDiffOptions {
  std::string before;
  std::string after;
  std::string name_before;  ///< of an entry; empty: the only one
  std::string name_after;
  bool json = false;
};
ExitCode diff_reference(const ReferenceDiffOptions& options, Screen& screen);

}  // namespace csctl
