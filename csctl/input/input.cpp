#include "csctl/input/input.h"

#include <array>
#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

namespace csctl {
namespace {

base::Bytes read_standard_input(std::size_t max_bytes) {
  base::Bytes bytes;
  std::array<std::uint8_t, std::size_t{64} << 10U> piece{};
  for (;;) {
    const ssize_t count = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw base::SystemError("reading standard input", errno);
    if (count == 0) return bytes;
    base::append(bytes, base::ByteView(piece).first(static_cast<std::size_t>(count)));
    if (bytes.size() > max_bytes) {
      throw base::InvalidInput(name_of_input(kStandardInput), "is longer than " + std::to_string(max_bytes) + " bytes");
    }
  }
}

}  // namespace

std::string name_of_input(const std::string& path) { return path == kStandardInput ? "standard input" : path; }

bool is_there(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT) return false;
  throw base::SystemError("inspecting " + path, errno);
}

base::Bytes read_input(const std::string& path, std::size_t max_bytes) {
  return path == kStandardInput ? read_standard_input(max_bytes) : base::read_file(path, max_bytes);
}

std::string read_text_input(const std::string& path, std::size_t max_bytes) {
  const base::Bytes bytes = read_input(path, max_bytes);
  return std::string(base::text_of(bytes));
}

}  // namespace csctl
