#include "attest/token_file.h"

#include <cerrno>
#include <string>
#include <sys/types.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"

namespace attest {
namespace {

constexpr mode_t kReadableByAll = 0644;

}  // namespace

void TokenFile::write(std::string_view jwt) const {
  base::replace_file(*directory_, kName, base::view_of(jwt), kReadableByAll);
}

void TokenFile::remove() const {
  if (::unlinkat(directory_->get(), kName, 0) != 0 && errno != ENOENT) {
    throw base::SystemError(std::string("removing ") + kName, errno);
  }
}

}  // namespace attest
