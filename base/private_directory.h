#pragma once

#include <filesystem>
#include <string>

namespace base {

/// A folder of mode 0700 below the system's temporary folder; removed with all it holds.
class PrivateDirectory {
 public:
  /// `prefix` begins the folder's name. Throws SystemError.
  explicit PrivateDirectory(const std::string& prefix);
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;
  ~PrivateDirectory();

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace base
