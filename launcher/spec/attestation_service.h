#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/spec/attestation.h"
#include "launcher/spec/problems.h"

namespace launcher {

/// An attestation service that the machine's image names. Operators choose among these and have no other: one that they
/// could name themselves might pass a machine's evidence on.
struct AttestationService {
  std::string name;
  std::string url;                                    ///< https://host[:port]
  std::optional<std::filesystem::path> ca_file = {};  ///< PEM of the only roots trusted for it

  bool operator==(const AttestationService&) const = default;
};

/// Of one that is written without a name.
inline constexpr std::string_view kUnnamedService = "default";

/// "[NAME=]URL[,CA-FILE]". Throws InvalidInput for another name than one of letters, digits and "-._", and for a URL
/// that is none of a service. The file is not looked at.
AttestationService parse_attestation_service(std::string_view text);

/// The one that the operator wants: by its name, or of the public ones that which the variable means; the first where
/// nothing was asked for. A wish that can't be met is a problem that lists what there is.
AttestationService choose(const std::vector<AttestationService>& services, const AttestationSpec& wishes,
                          Problems& problems);

}  // namespace launcher
