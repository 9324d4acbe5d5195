#include "verifier/tokens/secret_file.h"

#include <cerrno>

#include <sys/stat.h>

#include "base/error.h"

namespace verifier {

void expect_secret(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw base::SystemError("inspecting " + path.string(), errno);
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) throw base::Error(path.string() + " is open to other users");
}

}  // namespace verifier
