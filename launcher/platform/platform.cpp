#include "launcher/platform/platform.h"

#include <array>
#include <cerrno>

#include <unistd.h>

#include "base/error.h"
#include "evidence/instance_identity.h"

namespace launcher {

base::Json GceInstance::resource() const {
  return {{"type", "gce_instance"}, {"labels", {{"project_id", project_id}, {"zone", zone}, {"instance_id", id}}}};
}

std::string Location::region() const {
  const std::size_t dash = zone.rfind('-');
  if (dash == std::string::npos || dash == 0) {
    throw base::InvalidInput("zone", "\"" + zone + "\" is not of the form region-letter");
  }
  return zone.substr(0, dash);
}

base::Awaitable<Location> location_of_machine(Platform& platform, const X509& ak_certificate) {
  std::optional<Location> known = co_await platform.location();
  if (known) co_return std::move(*known);
  const auto identity = evidence::instance_identity_of(ak_certificate);
  if (!identity) throw base::Error("neither the metadata nor the attestation key certificate tell project and zone");
  co_return Location{.project_id = identity->project_id, .zone = identity->zone};
}

base::Awaitable<std::string> name_of_machine(Platform& platform) {
  constexpr auto kFailed = "cannot get hostname";
  try {
    std::optional<std::string> known = co_await platform.instance_name();
    if (known) co_return std::move(*known);
  } catch (const base::Error& error) {
    throw error.in_context(kFailed, base::Action::kRestart);
  }
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) {
    throw base::SystemError(kFailed, errno, base::Action::kRestart);
  }
  co_return name.data();
}

}  // namespace launcher
