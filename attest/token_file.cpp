#include "attest/token_file.h"

#include <sys/types.h>

#include "base/bytes.h"

namespace attest {
namespace {

constexpr mode_t kReadableByAll = 0644;

}  // namespace

void TokenFile::write(std::string_view jwt) const {
  base::replace_file(*directory_, kName, base::view_of(jwt), kReadableByAll);
}

}  // namespace attest
