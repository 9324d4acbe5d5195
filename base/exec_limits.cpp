#include "base/exec_limits.h"

#include <algorithm>

#include "base/error.h"

namespace base {
namespace {

std::size_t bytes_of(const std::vector<std::string>& strings) {
  std::size_t bytes = 0;
  for (const std::string& text : strings) bytes += text.size() + 1 + sizeof(char*);
  return bytes;
}

}  // namespace

void check_string_bytes(std::size_t bytes, std::string_view field) {
  if (bytes < kMaxStringBytes) return;
  throw InvalidInput(field,
                     "longer than the " + std::to_string(kMaxStringBytes) + " bytes that a program can be given");
}

void check_path(std::string_view path, std::string_view field) {
  if (path.size() >= kMaxPathBytes) {
    throw InvalidInput(field, "longer than the " + std::to_string(kMaxPathBytes) + " bytes that a path may have");
  }
  while (!path.empty()) {
    const std::size_t length = std::min(path.find('/'), path.size());
    if (length > kMaxNameBytes) {
      throw InvalidInput(field,
                         "has a name longer than the " + std::to_string(kMaxNameBytes) + " bytes that one may have");
    }
    path.remove_prefix(std::min(length + 1, path.size()));
  }
}

void check_process_bytes(const std::vector<std::string>& args, const std::vector<std::string>& env) {
  const std::size_t bytes = bytes_of(args) + bytes_of(env) + kMaxPathBytes;  // the path stands there as well
  if (bytes <= kMaxProcessBytes) return;
  throw InvalidInput("container arguments and environment", std::to_string(bytes) + " bytes together, more than the " +
                                                                std::to_string(kMaxProcessBytes) +
                                                                " bytes that a program can be given");
}

}  // namespace base
