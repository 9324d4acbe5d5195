#pragma once

#include <filesystem>

namespace verifier {

/// Throws Error when others than its owner may read or write the file.
void expect_secret(const std::filesystem::path& path);

}  // namespace verifier
