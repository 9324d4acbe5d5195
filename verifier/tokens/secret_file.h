#pragma once

#include <filesystem>

namespace verifier {

/// Throws Error when others than its owner may read or write the file.
void expect_secret(const std::filesystem::path& path);
/// The same, but its group may, which is also how a credential of systemd looks that a service's user may read.
void expect_secret_of_group(const std::filesystem::path& path);

}  // namespace verifier
