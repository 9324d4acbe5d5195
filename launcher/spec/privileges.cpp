#include "launcher/spec/privileges.h"

#include <set>

#include "base/error.h"
#include "launcher/spec/lists.h"

namespace launcher {
namespace {

constexpr std::string_view kCapabilities = "tee-added-capabilities";
constexpr std::string_view kCgroups = "tee-cgroup-ns";

std::vector<std::string> parse_capabilities(const std::string& text) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (std::string& name : parse_array_attribute(kCapabilities, text)) {
    if (seen.insert(name).second) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

std::vector<std::string> read_added_capabilities(AttributeReader& reader) {
  return reader.read(kCapabilities, parse_capabilities).value_or(std::vector<std::string>());
}

void expect_given(const std::vector<std::string>& wanted, CapabilitySet given, Problems& problems) {
  std::vector<std::string> missing;
  for (const std::string& name : wanted) {
    const CapabilitySet one = capability_set({name});  // empty for a name that there is not
    if (one == 0 || (one & ~given) != 0) missing.push_back(shown(name));
  }
  if (missing.empty()) return;
  problems.add(std::string(kCapabilities) + ": failed to validate added capabilities: received added capabilities ([" +
               joined_briefly(missing) + "]) not allowed by current capabilities");
}

bool read_cgroup_namespace(AttributeReader& reader) {
  if (!reader.has(kCgroups)) return false;
  bool wanted = false;
  reader.problems().collect(kCgroups, [&] { wanted = parse_bool_attribute(kCgroups, reader.text(kCgroups)); });
  return wanted;
}

}  // namespace launcher
