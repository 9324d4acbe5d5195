#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "launcher/platform/metadata_server.h"
#include "launcher/platform/platform.h"

namespace launcher {

/// The Google Compute Engine metadata server (GCE_METADATA_HOST is honoured).
class GcePlatform final : public Platform {
 public:
  /// `patience`: how long the network, and then the metadata server, may come later than this machine. Zero: one round
  /// of tries.
  GcePlatform(asio::any_io_executor executor, base::Clock clock, std::chrono::seconds patience);

  base::Awaitable<Attributes> attributes() override;
  base::Awaitable<std::optional<Location>> location() override;
  base::Awaitable<std::optional<GceInstance>> gce_instance() override;
  base::Awaitable<std::optional<std::string>> instance_name() override;
  base::Awaitable<std::optional<std::string>> access_token() override;
  void forget_access_token() override;
  base::Awaitable<std::optional<std::string>> identity_token(std::string audience) override;

 private:
  base::Awaitable<void> wait_for_network();
  base::Awaitable<void> read_attributes(Attributes& attributes);

  asio::any_io_executor executor_;
  std::string host_;
  MetadataServer server_;
  base::Clock clock_;
  std::chrono::seconds patience_;
  std::string access_token_;
  std::chrono::nanoseconds access_token_expires_{0};  ///< on the clock since boot
};

}  // namespace launcher
