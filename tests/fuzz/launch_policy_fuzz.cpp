#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "launcher/policy/launch_policy.h"

namespace {

/// Labels, one a line, a blank behind the name.
launcher::ImageLabels labels_of(std::string_view text) {
  launcher::ImageLabels labels;
  for (const std::string& line : base::split(text, '\n')) {
    const std::size_t blank = line.find(' ');
    const std::string value = blank == std::string::npos ? std::string() : line.substr(blank + 1);
    labels.emplace("tee.launch_policy." + line.substr(0, blank), value);
  }
  return labels;
}

launcher::LaunchSpec greedy() {
  return launcher::LaunchSpec::parse({{"tee-image-reference", "x"},
                                      {"tee-cmd", "[\"x\"]"},
                                      {"tee-env-A", "x"},
                                      {"tee-mount", "type=tmpfs,source=tmpfs,destination=/a/b"},
                                      {"tee-cgroup-ns", "true"},
                                      {"tee-added-capabilities", "[\"CAP_NET_ADMIN\"]"}},
                                     {});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const launcher::LaunchSpec spec = greedy();
  try {
    const launcher::LaunchPolicy policy = launcher::LaunchPolicy::parse(labels_of(base::text_of({data, size})));
    for (const std::string& folder : policy.mounts.allowed) {
      if (launcher::clean_path(folder) != folder) std::abort();
    }
    policy.verify(spec, true);
    // Nothing is allowed that its label does not name.
    if (!policy.overrides.allow_cmd || !policy.overrides.allowed_env.contains("A")) std::abort();
    if (!policy.privileges.allow_capabilities || !policy.privileges.allow_cgroups) std::abort();
  } catch (const base::Error&) {
  }
  return 0;
}
