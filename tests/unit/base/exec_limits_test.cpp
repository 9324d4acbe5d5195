#include "base/exec_limits.h"

#include "base/error.h"
#include "tests/unit/catch.h"

namespace base {

TEST_CASE("one string has 131,072 bytes at most, with its NUL") {
  CHECK_NOTHROW(check_string_bytes(131071, "field"));
  CHECK_THROWS_WITH(check_string_bytes(131072, "tee-env-A"),
                    "tee-env-A: longer than the 131072 bytes that a program can be given");
}

TEST_CASE("a path has 4,096 bytes at most, with its NUL, and each name in it 255") {
  std::string path;
  while (path.size() < 4095) path += "/x";
  path.resize(4095);
  CHECK_NOTHROW(check_path(path, "field"));
  CHECK_THROWS_WITH(check_path(path + "x", "field"), "field: longer than the 4096 bytes that a path may have");
  const std::string name(255, 'n');
  for (const char* before : {"/", "/a/", "//", ""}) {
    for (const char* behind : {"", "/", "/b"}) {
      CHECK_NOTHROW(check_path(before + name + behind, "field"));
      CHECK_THROWS_WITH(check_path(before + name + "n" + behind, "field"),
                        "field: has a name longer than the 255 bytes that one may have");
    }
  }
  CHECK_NOTHROW(check_path("/", "field"));
}

TEST_CASE("arguments and environment have two megabytes together, with a pointer and a NUL each") {
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

}  // namespace base
