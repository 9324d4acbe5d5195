#include "base/private_directory.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "base/error.h"

namespace base {

PrivateDirectory::PrivateDirectory(const std::string& prefix) {
  std::error_code code;
  const std::filesystem::path temporary = std::filesystem::temp_directory_path(code);
  if (code) throw SystemError("looking for the folder of temporary files", code.value());
  std::string name = (temporary / (prefix + "-XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) throw SystemError("making a folder like " + name, errno);
  path_ = name;
}

PrivateDirectory::~PrivateDirectory() {
  std::error_code ignored;  // a leftover in the temporary folder is no reason to fail
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace base
