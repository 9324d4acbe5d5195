#include "base/core_dumps.h"

#include <cerrno>

#include <sys/resource.h>

#include "base/error.h"

namespace base {

void forbid_core_dumps() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) throw SystemError("forbidding core dumps", errno);
}

}  // namespace base
