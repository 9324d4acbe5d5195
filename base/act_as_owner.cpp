#include "base/act_as_owner.h"

#include <cerrno>
#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

namespace base {
namespace {

struct stat owner_of(std::filesystem::path directory) {
  struct stat status {};
  while (::stat(directory.c_str(), &status) != 0) {
    if (errno != ENOENT) throw SystemError("inspecting " + directory.string(), errno);
    directory = directory.parent_path();
  }
  return status;
}

}  // namespace

ActAsOwner::ActAsOwner(std::filesystem::path directory) {
  if (::geteuid() != 0) return;
  const struct stat owner = owner_of(std::filesystem::absolute(directory));
  if (owner.st_uid == 0) return;
  acts_ = true;
  // The group first, while there is the right to.
  if (::setegid(owner.st_gid) != 0 || ::seteuid(owner.st_uid) != 0) {
    throw SystemError("acting as the owner of " + directory.string(), errno);
  }
}

ActAsOwner::~ActAsOwner() {
  // To go on as somebody else than the caller thinks would be worse than not to go on.
  if (acts_ && (::seteuid(0) != 0 || ::setegid(0) != 0)) std::abort();
}

}  // namespace base
