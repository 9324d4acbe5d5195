#include "launcher/host/kernel_command_line.h"

#include <cstddef>
#include <sstream>
#include <string>
#include <string_view>

#include "base/file.h"

namespace launcher {
namespace {

constexpr std::size_t kMaxKernelCommandLine = std::size_t{64} << 10U;
constexpr std::string_view kHardenedWord = "confidential-space.hardened=true";

}  // namespace

bool is_hardened(const std::filesystem::path& command_line) {
  std::istringstream words(base::read_text_file(command_line, kMaxKernelCommandLine));
  for (std::string word; words >> word;) {
    if (word == kHardenedWord) return true;
  }
  return false;
}

}  // namespace launcher
