#include "launcher/oci/platform.h"

namespace launcher {

#if defined(__x86_64__)

Platform Platform::host() {
  Platform platform{"linux", "amd64", "v1"};
  if (__builtin_cpu_supports("x86-64-v2") != 0) platform.variant = "v2";
  if (__builtin_cpu_supports("x86-64-v3") != 0) platform.variant = "v3";
  if (__builtin_cpu_supports("x86-64-v4") != 0) platform.variant = "v4";
  return platform;
}

#elif defined(__aarch64__)

Platform Platform::host() { return {"linux", "arm64", "v8"}; }

#else
#error "the name that OCI gives this architecture is not known"
#endif

}  // namespace launcher
