#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "launcher/platform/platform.h"

namespace test {

/// Knows what a test tells it, and notes what it is asked for.
class SomePlatform final : public launcher::Platform {
 public:
  std::optional<launcher::Location> where;
  std::optional<launcher::GceInstance> instance;
  std::optional<base::Error> instance_failure;
  std::optional<std::string> name;
  std::optional<base::Error> name_failure;
  std::optional<std::string> access;
  std::optional<std::string> next_access;  ///< when that has been forgotten
  std::optional<std::string> identity;
  int access_tokens_given = 0;
  std::vector<std::string> audiences;

  base::Awaitable<launcher::Attributes> attributes() override { co_return launcher::Attributes(); }
  base::Awaitable<std::optional<launcher::Location>> location() override { co_return where; }
  base::Awaitable<std::optional<launcher::GceInstance>> gce_instance() override {
    if (instance_failure) throw base::Error(*instance_failure);
    co_return instance;
  }
  base::Awaitable<std::optional<std::string>> instance_name() override {
    if (name_failure) throw base::Error(*name_failure);
    co_return name;
  }
  base::Awaitable<std::optional<std::string>> access_token() override {
    ++access_tokens_given;
    co_return access;
  }
  void forget_access_token() override { access = next_access; }
  base::Awaitable<std::optional<std::string>> identity_token(std::string audience) override {
    audiences.push_back(std::move(audience));
    co_return identity;
  }
};

}  // namespace test
