#include "launcher/spec/attestation_service.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "launcher/spec/attributes.h"
#include "launcher/spec/lists.h"
#include "net/checked_text.h"

namespace launcher {
namespace {

constexpr std::size_t kMaxNameBytes = 64;

std::string checked_service_name(std::string_view name) {
  const auto is_plain = [](char c) { return base::is_alphanumeric_or(c, "-._"); };
  if (name.empty() || name.size() > kMaxNameBytes || !std::ranges::all_of(name, is_plain))
    throw base::InvalidInput("name", "is none of at most 64 letters, digits and \"-._\"");
  return std::string(name);
}

std::string names_of(const std::vector<AttestationService>& services) {
  std::vector<std::string> names;
  for (const AttestationService& service : services) names.push_back(service.name);
  return "[" + joined(names) + "]";
}

}  // namespace

AttestationService parse_attestation_service(std::string_view text) {
  AttestationService service{.name = std::string(kUnnamedService), .url = {}};
  const std::size_t equals = text.find('=');
  if (equals != std::string_view::npos && text.substr(0, equals).find("://") == std::string_view::npos) {
    service.name = checked_service_name(text.substr(0, equals));
    text.remove_prefix(equals + 1);
  }
  const std::size_t comma = std::min(text.find(','), text.size());
  service.url = std::string(text.substr(0, comma));
  net::checked_service_url(service.url, "URL");
  if (comma < text.size()) service.ca_file = std::string(text.substr(comma + 1));
  return service;
}

AttestationService choose(const std::vector<AttestationService>& services, const AttestationSpec& wishes,
                          Problems& problems) {
  const auto known = [&] { return "the machine's image names " + names_of(services); };
  if (!wishes.service.empty()) {
    const auto found = std::ranges::find(services, wishes.service, &AttestationService::name);
    if (found != services.end()) return *found;
    problems.add("tee-attestation-service: unknown attestation service \"" + shown(wishes.service) + "\", " + known());
  } else if (wishes.public_service) {
    const std::string wanted = net::checked_service_url(url_of(*wishes.public_service), "URL");
    const auto is_wanted = [&](const AttestationService& service) {
      return net::checked_service_url(service.url, "URL") == wanted;
    };
    const auto found = std::ranges::find_if(services, is_wanted);
    if (found != services.end()) return *found;
    // The usual service asks for nothing: there is another one in its place.
    if (*wishes.public_service != PublicService::kProd)
      problems.add("gca-service-env: no service has the URL " + std::string(url_of(*wishes.public_service)) + ", " +
                   known());
  }
  return services.empty() ? AttestationService{} : services.front();
}

}  // namespace launcher
