#pragma once

#include <filesystem>
#include <string>

#include <sys/types.h>

namespace test {

/// A real containerd with folders of its own, for one test.
class ContainerdDaemon {
 public:
  /// Why containerd can't be run here; empty when it can.
  static std::string why_not();

  ContainerdDaemon();
  ContainerdDaemon(const ContainerdDaemon&) = delete;
  ContainerdDaemon& operator=(const ContainerdDaemon&) = delete;
  ~ContainerdDaemon();

  std::filesystem::path socket() const { return folder_ / "containerd.sock"; }
  const std::filesystem::path& folder() const { return folder_; }
  /// Ends containerd and starts it again on the same folders.
  void restart();

 private:
  std::filesystem::path programs() const { return folder_ / "programs"; }
  void start();
  void stop() noexcept;

  std::filesystem::path folder_;
  pid_t pid_ = -1;
};

}  // namespace test
