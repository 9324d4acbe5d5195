#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/asio.h"

namespace base {

/// Tells when a file of a folder has been replaced (a rename to its name), by whatever process.
class DirectoryWatch {
 public:
  /// From now on. Throws SystemError.
  DirectoryWatch(const asio::any_io_executor& executor, const std::filesystem::path& directory, std::string name);
  ~DirectoryWatch();
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;

  /// Returns once the file has been replaced since this was called last, and at once when it has been already.
  Awaitable<void> replaced();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace base
