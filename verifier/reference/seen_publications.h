#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "verifier/reference/publisher.h"

namespace verifier {

/// In the state folder: the newest publication of each publisher that was in use, {"NAME": {"version": 7, "sha256":
/// "<hexadecimal>"}}. Those of publishers that are configured no longer stay.
inline constexpr const char* kSeenPublicationsFile = "publications.json";

/// Throws Error that names the publisher when one of them is older than what was in use before, or another one with the
/// same version: who can put an old document back, with the signature that it had, would have images believed that were
/// withdrawn since.
void expect_not_older(const std::filesystem::path& state_directory,
                      const std::vector<std::shared_ptr<const Publication>>& publications);

/// The same, and notes them. To be called before they are in use.
void note_not_older(const std::filesystem::path& state_directory,
                    const std::vector<std::shared_ptr<const Publication>>& publications);

}  // namespace verifier
