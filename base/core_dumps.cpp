#include "base/core_dumps.h"

#include <cerrno>

#include <sys/resource.h>

#include "base/error.h"

namespace base {

void forbid_core_dumps() {
  // A limit of 0 does not count where dumps are piped to a program; one of 1 byte ends these, too (fs/coredump.c of
  // Linux), and is too short for any file.
  const rlimit shortest{.rlim_cur = 1, .rlim_max = 1};
  if (::setrlimit(RLIMIT_CORE, &shortest) != 0) throw SystemError("forbidding core dumps", errno);
}

}  // namespace base
