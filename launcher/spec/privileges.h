#pragma once

#include <string>
#include <vector>

#include "launcher/spec/attributes.h"
#include "launcher/spec/capabilities.h"

namespace launcher {

/// tee-added-capabilities: names as they were given, each once. Whether there are such is for expect_given().
std::vector<std::string> read_added_capabilities(AttributeReader& reader);

/// That there are none that containerd has not itself, or that Linux does not know: `given` is its bounding set.
void expect_given(const std::vector<std::string>& wanted, CapabilitySet given, Problems& problems);

/// tee-cgroup-ns. Unlike other booleans it may not be empty.
bool read_cgroup_namespace(AttributeReader& reader);

}  // namespace launcher
