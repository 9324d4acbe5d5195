#include "launcher/oci/exec_limits.h"

#include "base/error.h"
#include "tests/unit/catch.h"

namespace launcher {

TEST_CASE("C 6: one string has 131,072 bytes at most, with its NUL") {
  CHECK_NOTHROW(check_string_bytes(131071, "field"));
  CHECK_THROWS_WITH(check_string_bytes(131072, "tee-env-A"),
                    "tee-env-A: longer than the 131072 bytes that a program can be given");
}

TEST_CASE("C 6: a path has 4,096 bytes at most, with its NUL") {
  CHECK_NOTHROW(check_path_bytes(4095, "field"));
  CHECK_THROWS_WITH(check_path_bytes(4096, "field"), "field: longer than the 4096 bytes that a path may have");
}

TEST_CASE("C 6: arguments and environment have two megabytes together, with a pointer and a NUL each") {
  // Two strings of n bytes, and many that are empty, take 2 n + 9 (2 + many) bytes.
  constexpr std::size_t kMany = 1000;
  constexpr std::size_t kLeft = kMaxProcessBytes - kMaxPathBytes - 9 * (kMany + 2);
  const std::vector<std::string> args = {std::string(kLeft / 2, 'a')};
  std::vector<std::string> env(kMany);
  env.emplace_back(kLeft - kLeft / 2, 'e');
  CHECK_NOTHROW(check_process_bytes(args, env));
  env.back() += 'e';
  CHECK_THROWS_WITH(check_process_bytes(args, env),
                    "container arguments and environment: 2097153 bytes together, more than the 2097152 bytes that a "
                    "program can be given");
}

}  // namespace launcher
