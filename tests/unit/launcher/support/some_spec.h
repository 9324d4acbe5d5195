#pragma once

#include "launcher/spec/launch_spec.h"

namespace test {

/// What the operator of a machine says at the least.
inline launcher::LaunchSpec some_spec() {
  return launcher::LaunchSpec::parse({{"tee-image-reference", "registry.example/x"}}, {});
}

}  // namespace test
