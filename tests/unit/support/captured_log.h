#pragma once

#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "tests/unit/support/temporary_directory.h"

namespace test {

/// What is logged, and nothing of it on the terminal, for as long as this lives.
class CapturedLog {
 public:
  CapturedLog() : terminal_(::dup(STDERR_FILENO)) {
    const int file = ::open(path().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (terminal_ < 0 || file < 0 || ::dup2(file, STDERR_FILENO) < 0) throw std::runtime_error("cannot take the log");
    ::close(file);
    base::log::start(base::log::Level::kInfo);
  }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;
  ~CapturedLog() {
    ::dup2(terminal_, STDERR_FILENO);
    ::close(terminal_);
  }

  std::string text() const {
    constexpr std::size_t kMaxBytes = std::size_t{1} << 20U;
    return base::read_text_file(path(), kMaxBytes);
  }
  std::size_t count(const std::string& part) const {
    const std::string all = text();
    std::size_t found = 0;
    for (std::size_t at = all.find(part); at != std::string::npos; at = all.find(part, at + 1)) ++found;
    return found;
  }

 private:
  std::filesystem::path path() const { return directory_.path() / "log"; }

  TemporaryDirectory directory_;
  int terminal_;
};

}  // namespace test
