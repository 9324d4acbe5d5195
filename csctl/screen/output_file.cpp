#include "csctl/screen/output_file.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

namespace csctl {
namespace {

constexpr mode_t kReadableByAll = 0644;
constexpr mode_t kPermissions = 0777;

struct Attributes {
  mode_t mode = 0;
  uid_t owner = 0;
  gid_t group = 0;
};

/// Of what is there; nothing: there is nothing.
std::optional<struct stat> status_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return status;
  if (errno == ENOENT) return std::nullopt;
  throw base::SystemError("inspecting " + path, errno);
}

Attributes attributes_for(const std::optional<struct stat>& there) {
  if (there) return {.mode = there->st_mode & kPermissions, .owner = there->st_uid, .group = there->st_gid};
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return {.mode = kReadableByAll & ~mask, .owner = ::geteuid(), .group = ::getegid()};
}

void write_new(int file, base::ByteView content, const Attributes& attributes) {
  base::write_all(file, content, "it");
  const bool is_ours = attributes.owner == ::geteuid() && attributes.group == ::getegid();
  if (!is_ours && ::fchown(file, attributes.owner, attributes.group) != 0) {
    throw base::SystemError("leaving it its owner's", errno);
  }
  if (::fchmod(file, attributes.mode) != 0) throw base::SystemError("setting its mode", errno);
  if (::fsync(file) != 0) throw base::SystemError("syncing it", errno);
}

}  // namespace

void expect_replaceable(const std::string& path) {
  const auto status = status_of(path);
  if (status && !S_ISREG(status->st_mode)) throw base::InvalidInput(path, "is no regular file");
}

void write_output_file(const std::string& path, base::ByteView content) {
  expect_replaceable(path);
  const auto there = status_of(path);
  const std::string target = there ? std::filesystem::canonical(path).string() : path;
  std::string temporary = target + ".XXXXXX";  // in a folder that others may write to, too
  const base::FileDescriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) throw base::SystemError("writing " + target, errno);
  try {
    write_new(file.get(), content, attributes_for(there));
    if (::rename(temporary.c_str(), target.c_str()) != 0) throw base::SystemError("putting it in its place", errno);
  } catch (const base::SystemError& error) {
    ::unlink(temporary.c_str());
    throw error.in_context(target);
  }
}

}  // namespace csctl
