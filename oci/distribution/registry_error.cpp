#include "oci/distribution/registry_error.h"

#include <algorithm>

#include "base/json.h"

namespace oci {
namespace {

constexpr std::size_t kMaxErrorCodeLength = 64;
constexpr base::JsonLimits kErrorLimits{.max_bytes = kMaxRefusalBytes, .max_depth = 16, .max_values = 4096};

/// " (CODE)", or nothing.
std::string error_code_of(const net::HttpResponse& response) {
  try {
    const base::Json document = base::parse_json(response.body, "registry error", kErrorLimits);
    const auto errors = base::JsonObject(document, "registry error").objects_or_empty("errors");
    if (errors.empty()) return {};
    std::string code = errors.front().string("code");
    const bool fit = code.size() <= kMaxErrorCodeLength &&
                     std::ranges::all_of(code, [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
    return fit ? " (" + code + ")" : std::string();
  } catch (const base::InvalidInput&) {
    return {};
  }
}

}  // namespace

RegistryError refusal_error(const net::HttpResponse& response, const std::string& subject) {
  const bool passes = net::may_pass(response.status);
  return {subject + ": the registry answered " + std::to_string(response.status) + error_code_of(response),
          response.status, passes ? base::Transience::kMayPass : base::Transience::kPermanent,
          net::retry_after(response)};
}

}  // namespace oci
