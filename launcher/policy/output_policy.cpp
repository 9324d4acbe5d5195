#include "launcher/policy/output_policy.h"

namespace launcher {
namespace {

constexpr const char* kLogRedirect = "tee.launch_policy.log_redirect";

}  // namespace

OutputPolicy OutputPolicy::read(LabelReader& reader) { return {.log_redirect = read_gate(reader, kLogRedirect)}; }

void OutputPolicy::verify(const LaunchSpec& spec, bool hardened, Problems& problems) const {
  if (spec.log_redirect == LogRedirect::kNowhere) return;
  const std::string label = std::string(" (") + kLogRedirect + ")";
  if (log_redirect == Gate::kNever) problems.add("logging redirection not allowed by image" + label);
  if (log_redirect == Gate::kDebugOnly && hardened)
    problems.add("logging redirection only allowed on debug environment by image" + label);
}

}  // namespace launcher
