#pragma once

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include <unistd.h>

#include "tests/unit/catch.h"

namespace test {

/// Whether the test is to be left out, for want of what `missing` says; empty when nothing is. CTest knows it by this
/// line (SKIP_REGULAR_EXPRESSION). With CS_REQUIRE_SERVICES in the environment, the test fails instead. To be asked
/// before anything is checked.
inline bool skips(const std::string& missing) {
  if (missing.empty()) return false;
  const char* required = std::getenv("CS_REQUIRE_SERVICES");
  if (required != nullptr && *required != '\0') FAIL("CS_REQUIRE_SERVICES is set, but " << missing);
  std::cout << "test-skipped: " << missing << std::endl;
  return true;
}

inline bool skips_without_root() { return skips(::geteuid() == 0 ? "" : "this needs root"); }

/// Of recorded logs, which stand in a folder of their own (CS_VECTORS).
inline bool skips_without(const std::filesystem::path& path) {
  return skips(std::filesystem::exists(path) ? "" : "there is no " + path.string());
}

}  // namespace test
