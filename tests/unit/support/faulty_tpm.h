#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"

namespace test {

/// Stands between a client and a real swtpm, and answers chosen commands itself.
class FaultyTpm {
 public:
  struct Answer {
    base::Bytes bytes;         ///< sent as they are
    bool then_silent = false;  ///< the connection stays open, with nothing more coming
  };
  /// Told each command's code (TPM_CC); null: the real TPM answers.
  using Fault = std::function<std::unique_ptr<Answer>(std::uint32_t command_code)>;

  /// `real_socket` is swtpm's server socket; its control socket has ".ctrl" behind it.
  FaultyTpm(const std::filesystem::path& real_socket, Fault fault);
  ~FaultyTpm();
  FaultyTpm(const FaultyTpm&) = delete;
  FaultyTpm& operator=(const FaultyTpm&) = delete;

  std::string tcti() const;

  /// A response of a header only, with this TPM_RC.
  static base::Bytes response(std::uint32_t response_code);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace test
