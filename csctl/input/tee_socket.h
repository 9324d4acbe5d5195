#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "base/bytes.h"

namespace csctl {

/// Where a workload finds its launcher.
inline constexpr const char* kTeeSocket = "/run/container_launcher/teeserver.sock";

/// Asks a launcher, over the socket that its workload has. Throws Error with what the launcher says when it refuses,
/// and net::HttpError when nobody answers.
class TeeSocket {
 public:
  explicit TeeSocket(std::filesystem::path path) : path_(std::move(path)) {}

  /// The default token.
  std::string token() const;
  /// Evidence for a challenge, as JSON.
  std::string evidence(base::ByteView challenge) const;

 private:
  std::string ask(std::string method, const std::string& target, std::string body) const;

  std::filesystem::path path_;
};

}  // namespace csctl
