#pragma once

#include <filesystem>

#include "launcher/platform/platform.h"

namespace launcher {

/// A local JSON file with the same attributes that a metadata server would serve. There is no service account.
class FilePlatform final : public Platform {
 public:
  explicit FilePlatform(std::filesystem::path path) : path_(std::move(path)) {}

  base::Awaitable<Attributes> attributes() override;
  base::Awaitable<std::optional<Location>> location() override;
  base::Awaitable<std::optional<GceInstance>> gce_instance() override;
  base::Awaitable<std::optional<std::string>> instance_name() override;
  base::Awaitable<std::optional<std::string>> access_token() override;
  base::Awaitable<std::optional<std::string>> identity_token(std::string audience) override;

 private:
  std::filesystem::path path_;
};

}  // namespace launcher
