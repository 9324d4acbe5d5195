#include "verifier/tokens/secret_file.h"

#include <cerrno>

#include <sys/stat.h>

#include "base/error.h"

namespace verifier {

namespace {

void expect_closed(const std::filesystem::path& path, mode_t bits) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw base::SystemError("inspecting " + path.string(), errno);
  if ((status.st_mode & bits) != 0) throw base::Error(path.string() + " is open to other users");
}

}  // namespace

void expect_secret(const std::filesystem::path& path) { expect_closed(path, S_IRWXG | S_IRWXO); }

void expect_secret_of_group(const std::filesystem::path& path) { expect_closed(path, S_IRWXO); }

}  // namespace verifier
